import type { RowEffect, RowKey, TableName, WriteOutcome } from '@meridian/core';
import { ident } from '../catalog/quoting.js';
import { answersTo, type Session } from '../connection/session.js';
import { type ApplyTable, fieldType, fieldValue } from './apply-table.js';
import { counterField, counterSet, type CounterRange } from './counter-range.js';
import { groupEffects, type GroupedEffects, type WriteGroup } from './effect-groups.js';
import { onTable } from './waiting-changes.js';
import { portions } from './portions.js';
import { columnList, joinKeys, keyRecords } from './row-locks.js';

const DONE: WriteOutcome = { retry: null };

/**
 * Step 3: one statement per table, kind and set of columns. Frees come first, so that a unique key can move from row to row,
 * then updates, then inserts, all sent at once, or of a large batch in portions. Values go as the JSON text they came as; only the names of their columns are
 * looked at here.
 */
export async function writeEffects(
  session: Session,
  tables: ReadonlyMap<TableName, ApplyTable>,
  effects: readonly RowEffect[],
  range: CounterRange,
): Promise<WriteOutcome> {
  const tableOf = (name: TableName): ApplyTable => tables.get(name)!;
  const { frees, parks, unparks, updates, inserts } = groupEffects(effects);
  const portionsOfUpdates = updates.flatMap(inPortions);
  const portionsOfInserts = inserts.flatMap(inPortions);
  const steps: (() => Promise<WriteOutcome>)[] = [
    ...[...frees].map(
      ([name, keys]) =>
        () =>
          onTable(name, () => remove(session, tableOf(name), keys)),
    ),
    () => park(session, parks),
    ...[...unparks].map(
      ([name, keys]) =>
        () =>
          unpark(session, name, keys),
    ),
    ...portionsOfUpdates.map((group) => async () => {
      const written = await onTable(group.table, () => update(session, tableOf(group.table), group, range));
      return written < group.rows.length ? missing('a row to update is gone', group) : DONE;
    }),
    ...portionsOfInserts.map((group) => async () => {
      const written = await onTable(group.table, () => insert(session, tableOf(group.table), group, range));
      return written < group.rows.length ? missing('a row to insert is there', group) : DONE;
    }),
  ];
  const isLarge = portionsOfUpdates.length + portionsOfInserts.length > updates.length + inserts.length;
  return isLarge ? oneByOne(steps) : retryOf(await answersTo(steps.map((step) => step())));
}

/** The texts of a large batch are not all to wait in the driver at once. */
async function oneByOne(steps: readonly (() => Promise<WriteOutcome>)[]): Promise<WriteOutcome> {
  for (const step of steps) {
    const outcome = await step();
    if (outcome.retry !== null) return outcome;
  }
  return DONE;
}

const retryOf = (outcomes: readonly WriteOutcome[]): WriteOutcome =>
  outcomes.find((outcome) => outcome.retry !== null) ?? DONE;

const inPortions = (group: WriteGroup): WriteGroup[] =>
  portions(group.rows, ({ values }) => values.length).map((rows) => ({ ...group, rows: [...rows] }));

const missing = (what: string, group: WriteGroup): WriteOutcome => ({
  retry: 'row appeared',
  detail: `${what} in ${group.table}`,
});

/** A DELETE or UPDATE cannot be kept to lookups: it is planned at every run, for the table as it is then. */
async function remove(session: Session, table: ApplyTable, keys: readonly RowKey[]): Promise<WriteOutcome> {
  const sql = `DELETE FROM ${table.name} t USING json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
                WHERE ${table.keyEquals('t', 'k')}`;
  await session.query(sql, [keyRecords(table, keys)]);
  return DONE;
}

async function park(session: Session, parks: GroupedEffects['parks']): Promise<WriteOutcome> {
  if (parks.length === 0) return DONE;
  const rows = parks.map(
    ({ table, key, values, claims, because }) =>
      `{"rel": ${JSON.stringify(table)}, "pk": ${JSON.stringify(key)}, "image": ${values}, "claims": ${claims}, "reason": ${JSON.stringify(because)}}`,
  );
  await session.query(
    `INSERT INTO meridian.parked (rel, pk, image, claims, reason)
     SELECT * FROM json_to_recordset($1::json) AS x(rel text, pk text, image json, claims json, reason json)
     ON CONFLICT (rel, pk) DO UPDATE SET image = excluded.image, claims = excluded.claims, reason = excluded.reason`,
    [`[${rows.join(',')}]`],
    'park',
  );
  return DONE;
}

async function unpark(session: Session, table: TableName, keys: readonly RowKey[]): Promise<WriteOutcome> {
  await session.query('DELETE FROM meridian.parked WHERE rel = $1 AND pk = ANY ($2)', [table, keys], 'unpark');
  return DONE;
}

/** The record that a group's rows are: the key's parts, and the values' text spliced in behind them. */
function records(table: ApplyTable, group: WriteGroup): string {
  const rows = group.rows.map(({ key, values }) => `{${table.keyFields(key)}, ${values.trimStart().slice(1)}`);
  return `[${rows.join(',')}]`;
}

async function update(session: Session, table: ApplyTable, group: WriteGroup, range: CounterRange): Promise<number> {
  const columns = group.columns
    .filter((name) => !table.spec.keyColumns.includes(name))
    .map((name) => table.column(name));
  // A touch changes nothing, but the row has to be there.
  if (columns.length === 0) return touch(session, table, group);
  const isAdded = (name: string): boolean => group.counters === 'add' && table.isCounter(name);
  const sets = columns.map((c) =>
    table.isCounter(c.name)
      ? `${ident(c.name)} = ${counterSet(c, isAdded(c.name), range)}`
      : `${ident(c.name)} = ${fieldValue(c, 'x')}`,
  );
  const types = columns.map(
    (c) => `${ident(c.name)} ${table.isCounter(c.name) ? counterField(c, range) : fieldType(c)}`,
  );
  const sql = `UPDATE ${table.name} t SET ${sets.join(', ')}
      FROM json_to_recordset($1::json) AS x(${table.keyFieldTypes}, ${types.join(', ')}) WHERE ${table.keyEquals('t', 'x')}`;
  return (await session.query(sql, [records(table, group)])).count;
}

async function touch(session: Session, table: ApplyTable, group: WriteGroup): Promise<number> {
  const { rows } = await session.prepare(`SELECT FROM ${joinKeys(table)}`, [
    keyRecords(
      table,
      group.rows.map((r) => r.key),
    ),
  ]);
  return rows.length;
}

/** The primary key is named, so that no other unique key's conflict is swallowed. */
async function insert(session: Session, table: ApplyTable, group: WriteGroup, range: CounterRange): Promise<number> {
  const columns = group.columns.map((name) => table.column(name));
  const counter = (name: string): boolean => table.isCounter(name);
  const types = columns.map((c) => `${ident(c.name)} ${counter(c.name) ? counterField(c, range) : fieldType(c)}`);
  const values = columns.map((c) => (counter(c.name) ? counterSet(c, false, range) : fieldValue(c, 'x')));
  const sql = `INSERT INTO ${table.name} (${columnList(columns.map((c) => c.name))}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM json_to_recordset($1::json) AS x(${types.join(', ')})
    ON CONFLICT (${columnList(table.spec.keyColumns)}) DO NOTHING`;
  return (await session.prepare(sql, [`[${group.rows.map((r) => r.values).join(',')}]`])).count;
}
