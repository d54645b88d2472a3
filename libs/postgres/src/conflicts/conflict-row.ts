import {
  type ConflictRecord,
  type InForce,
  type JsonText,
  Refused,
  type Register,
  type RemedyWrite,
  type RowTable,
  type RowWrite,
  type Values,
} from '@meridian/core';
import type { PoolClient } from 'pg';
import type { RowTransactions } from '../rows/row-transactions.js';

/** The row that a conflict is about, locked, and how its table writes. */
export interface ConflictRow {
  readonly table: RowTable;
  readonly key: readonly string[];
  /** What decides its columns now. */
  readonly now: InForce;
  readonly present: Values | null;
}

export async function lockConflictRow(
  rows: RowTransactions,
  client: PoolClient,
  { table: name }: Pick<ConflictRecord, 'table'>,
  key: readonly string[],
): Promise<ConflictRow> {
  if (name.startsWith('meridian.'))
    throw new Refused(
      'unresolvable',
      `the record tells of a decision that another one overruled (${name} ${key.join(', ')}): accept it, and resolve /v1/conflicts/${key[0]} itself anew`,
    );
  const { rows: found } = await client.query<Enrolled>(ENROLLED, [name]);
  const table = found[0] === undefined ? null : await rows.catalog.table(found[0]);
  if (table === null)
    throw new Refused(
      'table_not_enrolled',
      `${name} is not enrolled any more: enrol it again, or change the row by SQL and accept the conflict`,
      { table: name },
    );
  return { table, key, now: inForce(found[0]!), present: await rows.lockedRow(client, table, key) };
}

interface Enrolled {
  readonly schema: string;
  readonly name: string;
  readonly registers: readonly Register[];
  readonly counters: readonly string[];
  /** By epoch. */
  readonly counted: Readonly<Record<string, readonly string[]>>;
}

const inForce = ({ registers, counters, counted }: Enrolled): InForce => ({
  registers,
  counters,
  countersAt: (epoch) => (epoch === undefined ? counters : (counted[epoch] ?? counters)),
});

const ENROLLED = /* sql */ `
SELECT n.nspname AS schema, c.relname AS name, coalesce(e.spec -> 'counters', '[]') AS counters, coalesce(e.spec -> 'registers', '[]') AS registers,
       coalesce((SELECT json_object_agg(p.epoch, p.counters) FROM meridian.policy_epoch p WHERE p.rel = e.rel), '{}') AS counted
  FROM meridian.enrolled_table e
  JOIN pg_class c ON c.oid = to_regclass(e.rel)
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE e.rel = $1`;

export function rowWriteOf({ table, key }: ConflictRow, write: Exclude<RemedyWrite, { kind: 'none' }>): RowWrite {
  const target = { kind: 'key', key, etag: null } as const;
  const returning = { kind: 'nothing' } as const;
  switch (write.kind) {
    case 'delete':
      return { kind: 'delete', table, target, returning };
    case 'update':
      return { kind: 'update', table, target, returning, texts: true, ...sent(write.values) };
    case 'insert': {
      const stored = new Set(table.columns.filter((c) => !c.generated).map((c) => c.name));
      // Columns that were dropped or renamed since are passed over: what is left is the row as it can be now.
      const kept = Object.entries(write.values).filter(([column]) => stored.has(column));
      const keyed = table.keyColumns.map((column, i): [string, string] => [column, key[i]!]);
      const values = Object.fromEntries([...kept, ...keyed]);
      return { kind: 'insert', table, returning, texts: true, many: false, onConflict: null, ...sent(values) };
    }
  }
}

const sent = (values: Values): { readonly columns: readonly string[]; readonly values: JsonText } => ({
  columns: Object.keys(values),
  values: JSON.stringify(values) as JsonText,
});
