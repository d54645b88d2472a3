import type { RowEffect, RowKey, TableName } from '@meridian/core';
import { ident, literal } from '../catalog/quoting.js';
import { expect, ROW_APPEARED } from '../connection/expectations.js';
import { answersTo, type Rows, type Session } from '../connection/session.js';
import { type ApplyTable, fieldType, fieldValue } from './apply-table.js';
import { counterField, counterSet, type CounterRange } from './counter-range.js';
import { groupEffects, type GroupedEffects, type WriteGroup } from './effect-groups.js';
import { madeFor, onTable } from './waiting-changes.js';
import { columnList, joinKeys, keyRecords } from './row-locks.js';

interface Statement {
  /** Whose refusal its failure may be; null: it is on a table of ours. */
  readonly table: TableName | null;
  readonly text: string;
  readonly values: readonly unknown[];
  /** `kept`: its plan is made once. A DELETE or UPDATE cannot be kept to lookups: it is planned for the table as it is then. */
  readonly plan: 'kept' | 'anew';
}

/**
 * Step 3: one statement per table, kind and set of columns. Frees come first, so that a unique key can move from row to row,
 * then updates, then inserts. Values go as the JSON text they came as; only the names of their columns are looked at here.
 * All are made before the first is sent, and then sent at once: what fails here leaves nothing half asked for.
 */
export function writeEffects(
  session: Session,
  tables: ReadonlyMap<TableName, ApplyTable>,
  effects: readonly RowEffect[],
  range: CounterRange,
): Promise<unknown> {
  const tableOf = (name: TableName): ApplyTable => tables.get(name)!;
  const { frees, parks, unparks, updates, inserts } = groupEffects(effects);
  const statements: readonly Statement[] = [
    ...[...frees].map(([name, keys]) => madeFor(name, () => remove(tableOf(name), keys))),
    ...park(parks),
    ...[...unparks].map(([name, keys]) => unpark(name, keys)),
    ...updates.map((group) => madeFor(group.table, () => update(tableOf(group.table), group, range))),
    ...inserts.map((group) => madeFor(group.table, () => insert(tableOf(group.table), group, range))),
  ];
  return answersTo(statements.map((statement) => send(session, statement)));
}

function send(session: Session, { table, text, values, plan }: Statement): Promise<Rows> {
  const run = () => (plan === 'kept' ? session.prepare(text, values) : session.query(text, values));
  return table === null ? run() : onTable(table, run);
}

/** A statement that has to meet each of the group's rows. */
const meetingAll = (group: WriteGroup, text: string, otherwise: string): string =>
  `WITH met AS (${text}) SELECT ${expect('count(*) = $2::bigint', ROW_APPEARED, literal(`${otherwise} in ${group.table}`))} FROM met`;

function remove(table: ApplyTable, keys: readonly RowKey[]): Statement {
  const text = `DELETE FROM ${table.name} t USING json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
                WHERE ${table.keyEquals('t', 'k')}`;
  return { table: table.spec.name, text, values: [keyRecords(table, keys)], plan: 'anew' };
}

function park(parks: GroupedEffects['parks']): Statement[] {
  if (parks.length === 0) return [];
  const rows = parks.map(
    ({ table, key, values, claims, because }) =>
      `{"rel": ${JSON.stringify(table)}, "pk": ${JSON.stringify(key)}, "image": ${values}, "claims": ${claims}, "reason": ${JSON.stringify(because)}}`,
  );
  const text = `INSERT INTO meridian.parked (rel, pk, image, claims, reason)
     SELECT * FROM json_to_recordset($1::json) AS x(rel text, pk text, image json, claims json, reason json)
     ON CONFLICT (rel, pk) DO UPDATE SET image = excluded.image, claims = excluded.claims, reason = excluded.reason`;
  return [{ table: null, text, values: [`[${rows.join(',')}]`], plan: 'kept' }];
}

const unpark = (table: TableName, keys: readonly RowKey[]): Statement => ({
  table: null,
  text: 'DELETE FROM meridian.parked WHERE rel = $1 AND pk = ANY ($2)',
  values: [table, keys],
  plan: 'kept',
});

/** The record that a group's rows are: the key's parts, and the values' text spliced in behind them. */
function records(table: ApplyTable, group: WriteGroup): string {
  const rows = group.rows.map(({ key, values }) => `{${table.keyFields(key)}, ${values.trimStart().slice(1)}`);
  return `[${rows.join(',')}]`;
}

function update(table: ApplyTable, group: WriteGroup, range: CounterRange): Statement {
  const columns = group.columns
    .filter((name) => !table.spec.keyColumns.includes(name))
    .map((name) => table.column(name));
  // A touch changes nothing, but the row has to be there.
  if (columns.length === 0) return touch(table, group);
  const isAdded = (name: string): boolean => group.counters === 'add' && table.isCounter(name);
  const sets = columns.map((c) =>
    table.isCounter(c.name)
      ? `${ident(c.name)} = ${counterSet(c, isAdded(c.name), range)}`
      : `${ident(c.name)} = ${fieldValue(c, 'x')}`,
  );
  const types = columns.map(
    (c) => `${ident(c.name)} ${table.isCounter(c.name) ? counterField(c, range) : fieldType(c)}`,
  );
  const text = `UPDATE ${table.name} t SET ${sets.join(', ')}
      FROM json_to_recordset($1::json) AS x(${table.keyFieldTypes}, ${types.join(', ')}) WHERE ${table.keyEquals('t', 'x')} RETURNING 1`;
  return {
    table: group.table,
    text: meetingAll(group, text, 'a row to update is gone'),
    values: [records(table, group), group.rows.length],
    plan: 'anew',
  };
}

const touch = (table: ApplyTable, group: WriteGroup): Statement => ({
  table: group.table,
  text: meetingAll(group, `SELECT FROM ${joinKeys(table)}`, 'a row to touch is gone'),
  values: [
    keyRecords(
      table,
      group.rows.map((r) => r.key),
    ),
    group.rows.length,
  ],
  plan: 'kept',
});

/** The primary key is named, so that no other unique key's conflict is swallowed. */
function insert(table: ApplyTable, group: WriteGroup, range: CounterRange): Statement {
  const columns = group.columns.map((name) => table.column(name));
  const counter = (name: string): boolean => table.isCounter(name);
  const types = columns.map((c) => `${ident(c.name)} ${counter(c.name) ? counterField(c, range) : fieldType(c)}`);
  const values = columns.map((c) => (counter(c.name) ? counterSet(c, false, range) : fieldValue(c, 'x')));
  const text = `INSERT INTO ${table.name} (${columnList(columns.map((c) => c.name))}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM json_to_recordset($1::json) AS x(${types.join(', ')})
    ON CONFLICT (${columnList(table.spec.keyColumns)}) DO NOTHING RETURNING 1`;
  return {
    table: group.table,
    text: meetingAll(group, text, 'a row to insert is there'),
    values: [`[${group.rows.map((r) => r.values).join(',')}]`, group.rows.length],
    plan: 'kept',
  };
}
