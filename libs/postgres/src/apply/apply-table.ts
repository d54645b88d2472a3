import type { RowKey, RowRef, TableName, Values } from '@meridian/core';
import type { CatalogColumn, CatalogTable } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import { isBuiltIn, keyTextOf, textOf } from '../catalog/value-text.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';

/** An enrolled table as apply's statements need it: the policy's view of it, and what the catalog says of its columns' types. */
export class ApplyTable {
  readonly name: TableName;
  /** Key columns in the key's order. */
  readonly key: readonly CatalogColumn[];
  /** What replicates: all but generated columns. */
  readonly columns: readonly CatalogColumn[];
  readonly counters: readonly CatalogColumn[];
  private readonly byName: ReadonlyMap<string, CatalogColumn>;
  private readonly prefix: string;

  constructor(
    readonly spec: StoredSpec,
    readonly catalog: CatalogTable,
    /** How it is not what the regions agreed on: then nothing is written, for it would be by rules that this region has alone. */
    readonly differs: string | null,
  ) {
    this.name = spec.name;
    this.columns = catalog.columns.filter((c) => !c.generated);
    this.byName = new Map(this.columns.map((c) => [c.name, c]));
    this.key = spec.keyColumns.map((name) => this.column(name));
    this.counters = this.columns.filter((c) => this.isCounter(c.name));
    this.prefix = freePrefix(catalog.columns.map((c) => c.name));
  }

  column(name: string): CatalogColumn {
    const column = this.byName.get(name);
    if (column === undefined) throw TableDiffersError.withoutColumn(this.name, name);
    return column;
  }

  /** A row that was parked before the table was altered, as it would show now. */
  inPresentColumns(row: Values): Values {
    const names = new Map(this.spec.renamed);
    const present = Object.entries(row).map(([name, value]) => [names.get(name) ?? name, value] as const);
    return Object.fromEntries(present.filter(([name]) => this.byName.has(name)));
  }

  /** The name of a key part among the fields of a record that also holds the row's columns. */
  keyField(i: number): string {
    return `${this.prefix}${i}`;
  }

  /** `"k0": "42", "k1": "eu"`: the key's parts as fields of a JSON object. */
  keyFields(key: RowKey): string {
    if (this.key.length === 1) return `"${this.prefix}0": ${key.slice(1, -1)}`;
    return (JSON.parse(key) as string[]).map((part, i) => `"${this.prefix}${i}": ${JSON.stringify(part)}`).join(', ');
  }

  /** `"k0" bigint, "k1" text`: for the column list of json_to_recordset, whose input functions read the texts. */
  get keyFieldTypes(): string {
    return this.key.map((c, i) => `${ident(this.keyField(i))} ${c.type}`).join(', ');
  }

  /** `"k0", "k1"` */
  get keyFieldList(): string {
    return this.key.map((_, i) => ident(this.keyField(i))).join(', ');
  }

  /** `t."id" = k."k0" AND …` */
  keyEquals(row: string, record: string): string {
    return this.key.map((c, i) => `${row}.${ident(c.name)} = ${record}.${ident(this.keyField(i))}`).join(' AND ');
  }

  keyOrder(row: string): string {
    return this.key.map((c) => `${row}.${ident(c.name)}`).join(', ');
  }

  /** The row's key as capture logs it. */
  keyText(row: string): string {
    return `json_build_array(${this.key.map((c) => keyTextOf(c, row)).join(', ')})::text`;
  }

  /** The whole row; counters as their full sums. */
  rowTexts(row: string): string {
    return this.columns.map((c) => (this.isCounter(c.name) ? this.fullText(c, row) : textOf(c, row))).join(', ');
  }

  /** The excess `e` of a counter, where `pk` is the row's key as capture logs it. */
  isExcess(column: CatalogColumn, pk: string): string {
    return `e.rel = ${literal(this.name)} AND e.column_name = ${literal(column.name)} AND e.pk = ${pk}`;
  }

  ref(key: string): RowRef {
    return { table: this.name, key: key as RowKey };
  }

  isCounter(column: string): boolean {
    return this.spec.counters.includes(column);
  }

  private fullText(column: CatalogColumn, row: string): string {
    const excess = `SELECT e.excess FROM meridian.counter_excess e WHERE ${this.isExcess(column, this.keyText(row))}`;
    return `(${row}.${ident(column.name)} + coalesce((${excess}), 0))::text`;
  }
}

/**
 * As a field of json_to_recordset. A json value travels as its text inside a JSON string, which json_to_recordset would take
 * for a JSON string of the user's: so json and jsonb are read as text, and cast by {@link fieldValue}.
 */
export const fieldType = (column: CatalogColumn): string => (isJson(column) ? 'text' : column.type);

export const fieldValue = (column: CatalogColumn, record: string): string => {
  const field = `${record}.${ident(column.name)}`;
  return isJson(column) ? `${field}::${column.type}` : field;
};

const isJson = (column: CatalogColumn): boolean => isBuiltIn(column, 'json') || isBuiltIn(column, 'jsonb');

function freePrefix(columns: readonly string[]): string {
  let prefix = 'k';
  while (columns.some((c) => c.startsWith(prefix) && /^\d+$/.test(c.slice(prefix.length)))) prefix += 'k';
  return prefix;
}

/** The table here is not what it is in the other regions: its changes wait until it is mended. */
export class TableDiffersError extends Error {
  readonly code = 'table_differs';
  constructor(
    readonly table: TableName,
    message: string,
  ) {
    super(message);
    this.name = 'TableDiffersError';
  }

  static notEnrolled(table: TableName): TableDiffersError {
    return new TableDiffersError(table, `a change of ${table} arrived, but the table is not enrolled here`);
  }

  static gone(table: TableName): TableDiffersError {
    return new TableDiffersError(
      table,
      `a change of ${table} arrived, and the table is not there: make it as in the other regions`,
    );
  }

  static withoutColumn(table: TableName, column: string): TableDiffersError {
    return new TableDiffersError(
      table,
      `a change of ${table} sets "${column}", which the table here does not have: alter it as in the other regions; ` +
        `or drop the column in all of them, and then let them agree on that: PUT /v1/tables/${table} with its policy`,
    );
  }
}

/** For work on all tables: one that is not enrolled any more, or gone, must not keep others from it. */
export function unlessDiffers(error: unknown): null {
  if (error instanceof TableDiffersError) return null;
  throw error;
}
