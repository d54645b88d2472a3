import { type JsonText, type RowKey, rowId, rowKeyOf, type RowState, type Values, parseValues } from '@meridian/core';
import { ident } from '../catalog/quoting.js';
import { textOf } from '../catalog/value-text.js';
import type { Session, Text } from '../connection/session.js';
import { type ApplyTable, fieldType, fieldValue } from './apply-table.js';
import { existing, joinKeys, keyRecords } from './row-locks.js';

/** The virtual rows of one table among these keys: shown, else parked. */
export async function readRows(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<readonly RowState[]> {
  const sql = `SELECT k.o, ${table.rowTexts('t')} FROM ${joinKeys(table)}`;
  const { rows } = await session.prepare(sql, [keyRecords(table, keys)]);
  const shown = rows.map(([o, ...texts]) => shownRow(table, keys[Number(o)]!, texts));
  const there = new Set(shown.map((row) => row.ref.key));
  return [
    ...shown,
    ...(await parkedRows(
      session,
      table,
      keys.filter((key) => !there.has(key)),
    )),
  ];
}

async function parkedRows(session: Session, table: ApplyTable, keys: readonly RowKey[]): Promise<readonly RowState[]> {
  if (keys.length === 0) return [];
  const sql =
    'SELECT pk, image FROM meridian.parked p WHERE rel = $1 AND pk = ANY ($2) AND NOT meridian.is_overtaken(p)';
  const { rows } = await session.query(sql, [table.name, keys], 'parked_rows');
  return rows.map(([pk, image]) => parkedRow(table, pk!, image!));
}

export const parkedRow = (table: ApplyTable, key: string, image: string): RowState => ({
  ref: table.ref(key),
  place: 'parked',
  values: table.inPresentColumns(parseValues(image as JsonText)),
});

const shownRow = (table: ApplyTable, key: string, texts: readonly Text[]): RowState => ({
  ref: table.ref(key),
  place: 'table',
  values: Object.fromEntries(table.columns.map((c, i) => [c.name, texts[i] ?? null])),
});

/** Shown rows that refer to one of the parents. A parent is found by its key, or, when the reference names more columns than that, by its row. */
export async function childrenOf(
  session: Session,
  child: ApplyTable,
  parent: ApplyTable,
  keys: readonly RowKey[],
): Promise<readonly RowState[]> {
  const found = new Map<string, RowState>();
  for (const foreign of child.spec.foreignKeys.filter((f) => f.parent === parent.name)) {
    const byKey = foreign.parentColumns.every((c) => parent.spec.keyColumns.includes(c));
    const refers = (record: string, name: (column: string) => string): string =>
      foreign.columns
        .map((c, i) => `c.${ident(c)} = ${record}.${ident(name(foreign.parentColumns[i]!))}`)
        .join(' AND ');
    const from = byKey
      ? `json_to_recordset($1::json) AS k(o int, ${parent.keyFieldTypes})
         JOIN ${child.name} c ON ${refers('k', (column) => parent.keyField(parent.spec.keyColumns.indexOf(column)))}`
      : `${joinKeys(parent)} JOIN ${child.name} c ON ${refers('t', (column) => column)}`;
    const { rows } = await session.query(`SELECT ${child.keyText('c')}, ${child.rowTexts('c')} FROM ${from}`, [
      keyRecords(parent, keys),
    ]);
    for (const [key, ...texts] of rows) found.set(key!, shownRow(child, key!, texts));
  }
  return [...found.values()];
}

/** Rows, shown or parked, that hold one of these values in the columns of a unique key; compared by the columns' types. */
export async function holdersOf(
  session: Session,
  table: ApplyTable,
  columns: readonly string[],
  nullsDistinct: boolean,
  values: readonly Values[],
): Promise<readonly RowState[]> {
  const key = columns.map((name) => table.column(name));
  const record = `json_to_recordset($1::json) AS v(${key.map((c) => `${ident(c.name)} ${fieldType(c)}`).join(', ')})`;
  const same = nullsDistinct ? '=' : 'IS NOT DISTINCT FROM';
  const shownSql = `SELECT DISTINCT ON (${table.keyOrder('t')}) ${table.keyText('t')}, ${table.rowTexts('t')}
     FROM ${record} JOIN ${table.name} t ON ${key.map((c) => `t.${ident(c.name)} ${same} ${fieldValue(c, 'v')}`).join(' AND ')}`;
  // A parked row's image is text; the values' texts are written anew by their type, so that both are alike.
  const parkedSql = `SELECT DISTINCT p.pk, p.image::text FROM ${record} JOIN meridian.parked p ON p.rel = $2 AND ${key
    .map((c) => `p.image ->> ${`'${c.name.replaceAll("'", "''")}'`} IS NOT DISTINCT FROM (${textOf(c, 'v')})`)
    .join(' AND ')} WHERE NOT meridian.is_overtaken(p)`;
  const given = JSON.stringify(
    values.map((v) => Object.fromEntries(columns.map((c) => [c, Object.hasOwn(v, c) ? v[c] : null]))),
  );
  const shown = (await session.query(shownSql, [given])).rows.map(([k, ...texts]) => shownRow(table, k!, texts));
  const parked = (await session.query(parkedSql, [given, table.name])).rows.map(([k, image]) =>
    parkedRow(table, k!, image!),
  );
  const hidden = new Set(
    await existing(
      session,
      table,
      parked.map((p) => p.ref.key),
    ),
  );
  return [
    ...shown,
    ...parked.filter((p) => !hidden.has(p.ref.key) && claimsSomething(p.values, columns, nullsDistinct)),
  ].sort(byRow);
}

const claimsSomething = (values: Values, columns: readonly string[], nullsDistinct: boolean): boolean =>
  !nullsDistinct || rowKeyOf(columns, values) !== null;

const byRow = (a: RowState, b: RowState): number => (rowId(a.ref) < rowId(b.ref) ? -1 : 1);
