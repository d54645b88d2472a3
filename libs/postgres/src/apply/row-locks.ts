import { type RowKey, type RowRef, rowId, type RowState, type TableName } from '@meridian/core';
import { ident } from '../catalog/quoting.js';
import { answersTo, type Session } from '../connection/session.js';
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

/*
 * Plans that are kept outlive what they were made for: a table that was empty when it was first applied to would be joined by
 * reading all of it for every batch. LATERAL … OFFSET 0, and FOR UPDATE, keep each lookup a lookup by its key's index.
 */

/** FROM-clause of a statement that joins a table `t` with keys, given as parameter `$1`; `k.o` says which key. */
export const joinKeys = (table: ApplyTable): string => `json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
  CROSS JOIN LATERAL (SELECT s.ctid, s.* FROM ${table.name} s WHERE ${table.keyEquals('s', 'k')} OFFSET 0) t`;

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
    for (const key of await lockExisting(session, table, wanted, strength)) held.add(key);
    wanted = await existing(
      session,
      table,
      keys.filter((key) => !held.has(key)),
    );
  }
  return held;
}

async function lockExisting(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
  strength: Strength,
): Promise<readonly RowKey[]> {
  const sql = `SELECT k.o
    FROM (SELECT * FROM json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes}) ORDER BY ${table.keyFieldList}) k
   CROSS JOIN LATERAL (SELECT FROM ${table.name} t WHERE ${table.keyEquals('t', 'k')} ${strength}) held`;
  const { rows } = await session.prepare(sql, [keyRecords(table, keys)]);
  return rows.map(([o]) => keys[Number(o)]!);
}

export async function existing(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<readonly RowKey[]> {
  if (keys.length === 0) return [];
  const { rows } = await session.prepare(`SELECT k.o FROM ${joinKeys(table)}`, [keyRecords(table, keys)]);
  return rows.map(([o]) => keys[Number(o)]!);
}

/** Parked entries of keys that no row of the table has. */
async function lockParked(session: Session, table: TableName, keys: readonly RowKey[]): Promise<readonly RowKey[]> {
  if (keys.length === 0) return [];
  const sql = `SELECT pk FROM meridian.parked p
    WHERE rel = $1 AND pk = ANY ($2) AND NOT meridian.is_overtaken(p) ORDER BY pk FOR UPDATE`;
  const { rows } = await session.query(sql, [table, keys], 'lock_parked');
  return rows.map(([pk]) => pk as RowKey);
}

/** Step 1 for one table. */
export async function lockVirtualRows(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<ReadonlyMap<string, Place>> {
  const shown = await lockRows(session, table, keys, 'FOR UPDATE');
  const parked = await lockParked(
    session,
    table.name,
    keys.filter((key) => !shown.has(key)),
  );
  return placesOf(table, shown, parked);
}

/**
 * The same in one round trip, the second look included, for so few rows that looking twice costs less than waiting; null
 * when that look finds a row which is not held.
 */
export async function lockVirtualRowsAtOnce(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<ReadonlyMap<string, Place> | null> {
  const asked = [
    lockExisting(session, table, keys, 'FOR UPDATE'),
    existing(session, table, keys),
    lockParked(session, table.name, keys),
  ];
  const [shown, there, parked] = await answersTo(asked);
  const held = new Set(shown);
  return there!.every((key) => held.has(key)) ? placesOf(table, held, parked!) : null;
}

/** A row of the table hides a parked entry of its key. */
const placesOf = (table: ApplyTable, shown: Iterable<RowKey>, parked: Iterable<RowKey>): Map<string, Place> => {
  const places = new Map<string, Place>();
  for (const key of parked) places.set(rowId({ table: table.name, key }), 'parked');
  for (const key of shown) places.set(rowId({ table: table.name, key }), 'table');
  return places;
};

/** Few enough to be looked up directly, and twice rather than one after another. */
export const FEW_ROWS = 32;

export const columnList = (names: readonly string[]): string => names.map(ident).join(', ');
