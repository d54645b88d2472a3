import { type RowKey, type RowRef, rowId, type RowState, type TableName } from '@meridian/core';
import { ident } from '../catalog/quoting.js';
import type { Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';

type Strength = 'FOR UPDATE' | 'FOR KEY SHARE';
export type Place = RowState['place'];

/** The rows' keys by table, in the order in which everything is locked. */
export function byTable(rows: readonly RowRef[]): readonly (readonly [TableName, readonly RowKey[]])[] {
  const keys = new Map<TableName, Set<RowKey>>();
  for (const { table, key } of rows) {
    const of = keys.get(table);
    if (of === undefined) keys.set(table, new Set([key]));
    else of.add(key);
  }
  return [...keys].map(([table, set]) => [table, [...set]] as const).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** FROM-clause of a statement that joins a table `t` with keys, given as parameter `$1`; `k.o` says which key. */
export const joinKeys = (table: ApplyTable): string => `json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
  JOIN ${table.name} t ON ${table.keyEquals('t', 'k')}`;

export const keyRecords = (table: ApplyTable, keys: readonly RowKey[]): string =>
  `[${keys.map((key, o) => `{"o": ${o}, ${table.keyFields(key)}}`).join(',')}]`;

/**
 * Locks those of the keys' rows that exist. FOR UPDATE skips a row that was deleted and inserted anew while it waited, so,
 * as long as some are missing, it looks again in a new statement, and takes what it finds.
 */
export async function lockRows(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
  strength: Strength,
): Promise<ReadonlySet<RowKey>> {
  const held = new Set<RowKey>();
  let wanted = keys;
  while (wanted.length > 0) {
    const sql = `SELECT k.o FROM ${joinKeys(table)} ORDER BY ${table.keyOrder('t')} ${strength} OF t`;
    const { rows } = await session.query(sql, [keyRecords(table, wanted)]);
    for (const [o] of rows) held.add(wanted[Number(o)]!);
    wanted = await existing(
      session,
      table,
      keys.filter((key) => !held.has(key)),
    );
  }
  return held;
}

export async function existing(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<readonly RowKey[]> {
  if (keys.length === 0) return [];
  const { rows } = await session.query(`SELECT k.o FROM ${joinKeys(table)}`, [keyRecords(table, keys)]);
  return rows.map(([o]) => keys[Number(o)]!);
}

/** Parked entries of keys that no row of the table has. */
async function lockParked(session: Session, table: TableName, keys: readonly RowKey[]): Promise<ReadonlySet<RowKey>> {
  if (keys.length === 0) return new Set();
  const sql = `SELECT pk FROM meridian.parked WHERE rel = $1 AND pk = ANY ($2) ORDER BY pk FOR UPDATE`;
  const { rows } = await session.query(sql, [table, keys], 'lock_parked');
  return new Set(rows.map(([pk]) => pk as RowKey));
}

/** Step 1 for one table. */
export async function lockVirtualRows(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<Map<string, Place>> {
  const shown = await lockRows(session, table, keys, 'FOR UPDATE');
  const parked = await lockParked(
    session,
    table.name,
    keys.filter((key) => !shown.has(key)),
  );
  const places = new Map<string, Place>();
  for (const key of shown) places.set(rowId({ table: table.name, key }), 'table');
  for (const key of parked) places.set(rowId({ table: table.name, key }), 'parked');
  return places;
}

export const columnList = (names: readonly string[]): string => names.map(ident).join(', ');
