/** A region's short name (`us`); it is the origin of that region's changes, and ranks ties between regions. */
export type RegionId = string & { readonly __brand: 'RegionId' };
/** A table as PostgreSQL names it, schema first: `public.items`, `"My Schema"."Orders"`. The same text in every region. */
export type TableName = string & { readonly __brand: 'TableName' };
/** A row's primary key: a JSON array of each key column's text output, in the key's column order: `["42", "eu"]`. */
export type RowKey = string & { readonly __brand: 'RowKey' };
/** Number of a tick at its origin: 1, 2, 3 … without gaps; 0 is the empty beginning. */
export type Seq = number & { readonly __brand: 'Seq' };
/** Number of a change in its origin's log. For one row, the order of ids is the order of its writes. */
export type ChangeId = number & { readonly __brand: 'ChangeId' };
/** JSON as PostgreSQL (or this core, by JSON.stringify) wrote it; passed on as text and parsed only where it is decided upon. */
export type JsonText = string & { readonly __brand: 'JsonText' };

/** Region names go into topic names, URLs and SQL: lower case, no dots. */
export const REGION_NAME = /^[a-z][a-z0-9-]{0,30}$/;

export const regionId = (name: string): RegionId => {
  if (!REGION_NAME.test(name))
    throw new RangeError(`"${name}" is no region name: lower-case letters, digits and "-", at most 31, a letter first`);
  return name as RegionId;
};
export const seq = (n: number): Seq => n as Seq;
export const changeId = (n: number): ChangeId => n as ChangeId;

/** One row of one table, as a key for maps and sets. A table's name holds no line break that its quoting does not show. */
export type RowRef = { readonly table: TableName; readonly key: RowKey };
export const rowId = (ref: RowRef): string => `${ref.table}\n${ref.key}`;
/** Each row once, where it came first. */
export const distinctRows = (rows: readonly RowRef[]): RowRef[] => [
  ...new Map(rows.map((r) => [rowId(r), r])).values(),
];

export function groupByRow<T extends RowRef>(entries: readonly T[]): ReadonlyMap<string, T[]> {
  const rows = new Map<string, T[]>();
  for (const entry of entries) {
    const id = rowId(entry);
    const row = rows.get(id);
    if (row === undefined) rows.set(id, [entry]);
    else row.push(entry);
  }
  return rows;
}
