import type { RowEffect, RowKey, TableName } from '@meridian/core';
import type { CatalogColumn } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import { expect, ROW_APPEARED } from '../connection/expectations.js';
import { answersTo, type Session } from '../connection/session.js';
import { type ApplyTable, fieldType, fieldValue } from './apply-table.js';
import { addExcess, forgetExcess, settle } from './counter-excess.js';
import { counterField, type CounterRange, counterValue } from './counter-range.js';
import { groupEffects, type GroupedEffects, type WriteGroup } from './effect-groups.js';
import { exceedOneStatement, inPieces, portions } from './portions.js';
import { madeFor } from './waiting-changes.js';
import { send, type WriteStatement } from './write-statement.js';
import { columnList, joinKeys, keyRecords } from './row-locks.js';

/**
 * Step 3: one statement per table, kind and set of columns. Frees come first, so that a unique key can move from row to row,
 * then updates, then inserts. Values go as the JSON text they came as; only the names of their columns are looked at here.
 * `before`: what has to hold before that. All are made before the first is sent, and then sent at once: what fails here leaves
 * nothing half asked for. Those of a large batch ({@link isLargeWrite}) go in pieces.
 */
export function writeEffects(
  session: Session,
  tables: ReadonlyMap<TableName, ApplyTable>,
  effects: readonly RowEffect[],
  rangeOf: (name: TableName) => CounterRange,
  before: readonly WriteStatement[],
  isLarge: boolean,
): Promise<unknown> {
  const tableOf = (name: TableName): ApplyTable => tables.get(name)!;
  const { frees, parks, unparks, updates, inserts, settles } = groupEffects(effects);
  const statements: readonly (() => readonly WriteStatement[])[] = [
    () => before,
    ...[...frees].map(
      ([name, keys]) =>
        () =>
          madeFor(name, () => remove(tableOf(name), keys)),
    ),
    () => park(parks),
    () => [...unparks].map(([name, keys]) => unpark(name, keys)),
    ...updates
      .flatMap(inPortions)
      .map((g) => () => madeFor(g.table, () => update(tableOf(g.table), g, rangeOf(g.table)))),
    ...inserts
      .flatMap(inPortions)
      .map((g) => () => madeFor(g.table, () => insert(tableOf(g.table), g, rangeOf(g.table)))),
    ...[...settles].map(
      ([name, keys]) =>
        () =>
          madeFor(name, () => settle(tableOf(name), keys, tableOf(name).counters)),
    ),
  ];
  const sendAll = (made: readonly WriteStatement[]) => answersTo(made.map((statement) => send(session, statement)));
  if (isLarge) return inPieces(statements.map((make) => () => sendAll(make())));
  return sendAll(statements.flatMap((make) => make()));
}

export const isLargeWrite = (effects: readonly RowEffect[]): boolean =>
  exceedOneStatement(effects, (effect) => ('values' in effect ? effect.values.length : 0));

const inPortions = (group: WriteGroup): WriteGroup[] =>
  portions(group.rows, ({ values }) => values.length).map((rows) => ({ ...group, rows: [...rows] }));

/** A statement that has to meet each of the group's rows. */
const meetingAll = (group: WriteGroup, text: string, otherwise: string): string =>
  `WITH met AS (${text}) SELECT ${expect('count(*) = $2::bigint', ROW_APPEARED, literal(`${otherwise} in ${group.table}`))} FROM met`;

function remove(table: ApplyTable, keys: readonly RowKey[]): WriteStatement[] {
  const text = `DELETE FROM ${table.name} t USING json_to_recordset($1::json) AS k(o int, ${table.keyFieldTypes})
                WHERE ${table.keyEquals('t', 'k')}`;
  const { counters } = table;
  return [
    { table: table.spec.name, text, values: [keyRecords(table, keys)], plan: 'anew' },
    ...(counters.length === 0 ? [] : [forgetExcess(table, keys, counters)]),
  ];
}

function park(parks: GroupedEffects['parks']): WriteStatement[] {
  if (parks.length === 0) return [];
  const rows = parks.map(
    ({ table, key, values, claims, because }) =>
      `{"rel": ${JSON.stringify(table)}, "pk": ${JSON.stringify(key)}, "image": ${values}, "claims": ${claims}, "reason": ${JSON.stringify(because)}}`,
  );
  const text = `INSERT INTO meridian.parked (rel, pk, image, claims, reason)
     SELECT * FROM json_to_recordset($1::json) AS x(rel text, pk text, image json, claims json, reason json)
     ON CONFLICT (rel, pk) DO UPDATE
     SET image = excluded.image, claims = excluded.claims, reason = excluded.reason, since = excluded.since`;
  return [{ table: null, text, values: [`[${rows.join(',')}]`], plan: 'kept' }];
}

const unpark = (table: TableName, keys: readonly RowKey[]): WriteStatement => ({
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

/**
 * Differences of counters are added to what is shown, whatever the excess. Where it may matter, they are added to the excess
 * first, and then shown as far as that goes. A counter that is set has no excess but what is beyond its range then.
 */
function update(table: ApplyTable, group: WriteGroup, range: CounterRange): WriteStatement[] {
  const counters = table.counters.filter((c) => group.columns.includes(c.name));
  const all = () => updateColumns(table, group, group.columns, range);
  if (counters.length === 0 || (group.counters === 'add' && range === 'exact')) return [all()];
  const keys = group.rows.map((row) => row.key);
  if (group.counters === 'set')
    return [forgetExcess(table, keys, counters), all(), ...keepExcess(table, group, counters, range)];
  const others = group.columns.filter((name) => !counters.some((c) => c.name === name));
  return [
    updateColumns(table, group, others, range),
    addExcess(table, records(table, group), counters, (name) => `x.${name}`),
    ...settle(table, keys, counters),
  ];
}

function updateColumns(
  table: ApplyTable,
  group: WriteGroup,
  names: readonly string[],
  range: CounterRange,
): WriteStatement {
  const columns = names.filter((name) => !table.spec.keyColumns.includes(name)).map((name) => table.column(name));
  // A touch changes nothing, but the row has to be there.
  if (columns.length === 0) return touch(table, group);
  const value = (c: CatalogColumn): string => {
    if (!table.isCounter(c.name)) return fieldValue(c, 'x');
    return group.counters === 'add' ? `t.${ident(c.name)} + x.${ident(c.name)}` : counterValue(c, range);
  };
  const sets = columns.map((c) => `${ident(c.name)} = ${value(c)}`);
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

/** Behind a write of the counters' values: what of them does not show. */
const keepExcess = (
  table: ApplyTable,
  group: WriteGroup,
  counters: readonly CatalogColumn[],
  range: CounterRange,
): WriteStatement[] =>
  range === 'exact' || counters.length === 0
    ? []
    : [addExcess(table, records(table, group), counters, (name) => `x.${name} - t.${name}`)];

const touch = (table: ApplyTable, group: WriteGroup): WriteStatement => ({
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
function insert(table: ApplyTable, group: WriteGroup, range: CounterRange): WriteStatement[] {
  const columns = group.columns.map((name) => table.column(name));
  const counter = (name: string): boolean => table.isCounter(name);
  const types = columns.map((c) => `${ident(c.name)} ${counter(c.name) ? counterField(c, range) : fieldType(c)}`);
  const values = columns.map((c) => (counter(c.name) ? counterValue(c, range) : fieldValue(c, 'x')));
  const text = `INSERT INTO ${table.name} (${columnList(columns.map((c) => c.name))}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM json_to_recordset($1::json) AS x(${types.join(', ')})
    ON CONFLICT (${columnList(table.spec.keyColumns)}) DO NOTHING RETURNING 1`;
  const inserted: WriteStatement = {
    table: group.table,
    text: meetingAll(group, text, 'a row to insert is there'),
    values: [`[${group.rows.map((r) => r.values).join(',')}]`, group.rows.length],
    plan: 'kept',
  };
  const counters = columns.filter((c) => table.isCounter(c.name));
  return [inserted, ...keepExcess(table, group, counters, range)];
}
