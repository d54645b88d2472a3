import type { RowEffect, RowKey, TableName, WriteOutcome } from '@meridian/core';
import type { CatalogColumn } from '../catalog/catalog-table.js';
import { ident } from '../catalog/quoting.js';
import { answersTo, type Session } from '../connection/session.js';
import { type ApplyTable, fieldType, fieldValue } from './apply-table.js';
import { addExcess, forgetExcess, settle } from './counter-excess.js';
import { counterField, type CounterRange, counterValue } from './counter-range.js';
import { groupEffects, type GroupedEffects, type WriteGroup } from './effect-groups.js';
import { onTable } from './waiting-changes.js';
import { columnList, joinKeys, keyRecords } from './row-locks.js';

const DONE: WriteOutcome = { retry: null };

/**
 * Step 3: one statement per table, kind and set of columns. Frees come first, so that a unique key can move from row to row,
 * then updates, then inserts, all sent at once. Values go as the JSON text they came as; only the names of their columns are
 * looked at here.
 */
export async function writeEffects(
  session: Session,
  tables: ReadonlyMap<TableName, ApplyTable>,
  effects: readonly RowEffect[],
  rangeOf: (name: TableName) => CounterRange,
): Promise<WriteOutcome> {
  const tableOf = (name: TableName): ApplyTable => tables.get(name)!;
  const { frees, parks, unparks, updates, inserts, settles } = groupEffects(effects);
  const asked: Promise<WriteOutcome>[] = [
    ...[...frees].map(([name, keys]) => onTable(name, () => remove(session, tableOf(name), keys))),
    park(session, parks),
    ...[...unparks].map(([name, keys]) => unpark(session, name, keys)),
    ...updates.map((group) =>
      onTable(group.table, () => update(session, tableOf(group.table), group, rangeOf(group.table))).then((written) =>
        written < group.rows.length ? missing('a row to update is gone', group) : DONE,
      ),
    ),
    ...inserts.map((group) =>
      onTable(group.table, () => insert(session, tableOf(group.table), group, rangeOf(group.table))).then((written) =>
        written < group.rows.length ? missing('a row to insert is there', group) : DONE,
      ),
    ),
    ...[...settles].map(([name, keys]) => onTable(name, () => settleRows(session, tableOf(name), keys))),
  ];
  return (await answersTo(asked)).find((outcome) => outcome.retry !== null) ?? DONE;
}

const missing = (what: string, group: WriteGroup): WriteOutcome => ({
  retry: 'row appeared',
  detail: `${what} in ${group.table}`,
});

/** A DELETE or UPDATE cannot be kept to lookups: it is planned at every run, for the table as it is then. */
async function remove(session: Session, table: ApplyTable, keys: readonly RowKey[]): Promise<WriteOutcome> {
  const sql = `DELETE FROM ${table.name} t USING json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
                WHERE ${table.keyEquals('t', 'k')}`;
  const removed = session.query(sql, [keyRecords(table, keys)]);
  const counters = table.counters;
  const forgotten = counters.length === 0 ? [] : [forgetExcess(session, table, keys, counters)];
  await answersTo<unknown>([removed, ...forgotten]);
  return DONE;
}

async function settleRows(session: Session, table: ApplyTable, keys: readonly RowKey[]): Promise<WriteOutcome> {
  await answersTo(settle(session, table, keys, table.counters));
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

/**
 * Differences of counters are added to what is shown, whatever the excess. Where it may matter, they are added to the excess
 * first, and then shown as far as that goes. A counter that is set has no excess but what is beyond its range then.
 */
async function update(session: Session, table: ApplyTable, group: WriteGroup, range: CounterRange): Promise<number> {
  const counters = table.counters.filter((c) => group.columns.includes(c.name));
  if (counters.length === 0) return updateColumns(session, table, group, group.columns, range);
  const keys = group.rows.map((row) => row.key);
  const rows = records(table, group);
  if (group.counters === 'set') {
    const forgotten = forgetExcess(session, table, keys, counters);
    const written = updateColumns(session, table, group, group.columns, range);
    return answerTo(written, forgotten, ...keepExcess(session, table, rows, counters, range));
  }
  if (range === 'exact') return updateColumns(session, table, group, group.columns, range);
  const others = group.columns.filter((name) => !counters.some((c) => c.name === name));
  return answerTo(
    updateColumns(session, table, group, others, range),
    addExcess(session, table, rows, counters, (name) => `x.${name}`),
    ...settle(session, table, keys, counters),
  );
}

async function updateColumns(
  session: Session,
  table: ApplyTable,
  group: WriteGroup,
  names: readonly string[],
  range: CounterRange,
): Promise<number> {
  const columns = names.filter((name) => !table.spec.keyColumns.includes(name)).map((name) => table.column(name));
  // A touch changes nothing, but the row has to be there.
  if (columns.length === 0) return touch(session, table, group);
  const value = (c: CatalogColumn): string => {
    if (!table.isCounter(c.name)) return fieldValue(c, 'x');
    return group.counters === 'add' ? `t.${ident(c.name)} + x.${ident(c.name)}` : counterValue(c, range);
  };
  const sets = columns.map((c) => `${ident(c.name)} = ${value(c)}`);
  const types = columns.map(
    (c) => `${ident(c.name)} ${table.isCounter(c.name) ? counterField(c, range) : fieldType(c)}`,
  );
  const sql = `UPDATE ${table.name} t SET ${sets.join(', ')}
      FROM json_to_recordset($1::json) AS x(${table.keyFieldTypes}, ${types.join(', ')}) WHERE ${table.keyEquals('t', 'x')}`;
  return (await session.query(sql, [records(table, group)])).count;
}

/** Behind a write of the counters' values: what of them does not show. */
const keepExcess = (
  session: Session,
  table: ApplyTable,
  rows: string,
  counters: readonly CatalogColumn[],
  range: CounterRange,
): Promise<number>[] =>
  range === 'exact' || counters.length === 0
    ? []
    : [addExcess(session, table, rows, counters, (name) => `x.${name} - t.${name}`)];

const answerTo = async (written: Promise<number>, ...others: readonly Promise<unknown>[]): Promise<number> =>
  (await answersTo<unknown>([written, ...others]))[0] as number;

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
  const values = columns.map((c) => (counter(c.name) ? counterValue(c, range) : fieldValue(c, 'x')));
  const sql = `INSERT INTO ${table.name} (${columnList(columns.map((c) => c.name))}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM json_to_recordset($1::json) AS x(${types.join(', ')})
    ON CONFLICT (${columnList(table.spec.keyColumns)}) DO NOTHING`;
  const written = session.prepare(sql, [`[${group.rows.map((r) => r.values).join(',')}]`]).then(({ count }) => count);
  const counters = columns.filter((c) => table.isCounter(c.name));
  return answerTo(written, ...keepExcess(session, table, records(table, group), counters, range));
}
