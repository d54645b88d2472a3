import type { RowKey, RowRef, TableName } from '@meridian/core';
import type { CatalogColumn } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import type { Session } from '../connection/session.js';
import { type ApplyTable, unlessDiffers } from './apply-table.js';
import { shownOf } from './counter-range.js';
import { joinKeys, keyRecords } from './row-locks.js';
import { onTable } from './waiting-changes.js';
import type { WriteStatement } from './write-statement.js';

/*
 * A counter's full sum is what its column shows and the excess in meridian.counter_excess. A write that adds keeps that so
 * without looking at the excess, be it a local writer's or apply's exact way; then `settle` brings what is shown up to the sum.
 * Written under the row's lock, and together with a write of the row itself: a REPEATABLE READ transaction that does not see
 * the excess cannot write the row either, and so not delete it without.
 */

/** Of rows that leave the table, or whose counters are about to be set. */
export const forgetExcess = (
  table: ApplyTable,
  keys: readonly RowKey[],
  counters: readonly CatalogColumn[],
): WriteStatement => ({
  table: table.name,
  text: 'DELETE FROM meridian.counter_excess WHERE rel = $1 AND pk = ANY ($2) AND column_name = ANY ($3)',
  values: [table.name, keys, counters.map((c) => c.name)],
  plan: 'kept',
});

/** `records`: rows with their key's parts; `excess`: of the record `x` and its row `t`, for each counter. */
export function addExcess(
  table: ApplyTable,
  records: string,
  counters: readonly CatalogColumn[],
  excess: (counter: string) => string,
): WriteStatement {
  const fields = counters.map((c) => `${ident(c.name)} numeric`);
  const values = counters.map((c) => `(${literal(c.name)}, ${excess(ident(c.name))})`);
  const text = `INSERT INTO meridian.counter_excess AS e (rel, pk, column_name, excess)
    SELECT ${literal(table.name)}, ${table.keyText('t')}, v.column_name, v.excess
      FROM json_to_recordset($1::json) AS x(${table.keyFieldTypes}, ${fields.join(', ')})
     CROSS JOIN LATERAL (SELECT s.* FROM ${table.name} s WHERE ${table.keyEquals('s', 'x')} OFFSET 0) t
     CROSS JOIN LATERAL (VALUES ${values.join(', ')}) AS v(column_name, excess)
     WHERE v.excess <> 0
    ON CONFLICT (rel, pk, column_name) DO UPDATE SET excess = e.excess + excluded.excess`;
  return { table: table.name, text, values: [records], plan: 'anew' };
}

/** Shows as much of these rows' sums as their types hold. Statements for one column each, for rows seldom have a second one. */
export const settle = (
  table: ApplyTable,
  keys: readonly RowKey[],
  counters: readonly CatalogColumn[],
): WriteStatement[] => counters.map((column) => settleColumn(table, keys, column));

function settleColumn(table: ApplyTable, keys: readonly RowKey[], column: CatalogColumn): WriteStatement {
  const name = ident(column.name);
  const sum = `t.${name} + e.excess`;
  const text = `WITH settled AS MATERIALIZED (
      SELECT ${table.keyFieldList}, e.pk, ${sum} AS total, ${shownOf(column, sum)} AS shown
        FROM ${joinKeys(table)} JOIN meridian.counter_excess e ON ${table.isExcess(column, table.keyText('t'))}
    ), written AS (
      UPDATE ${table.name} t SET ${name} = s.shown FROM settled s WHERE ${table.keyEquals('t', 's')}
    ), kept AS (
      UPDATE meridian.counter_excess e SET excess = s.total - s.shown
        FROM settled s WHERE ${table.isExcess(column, 's.pk')} AND s.total <> s.shown
    )
    DELETE FROM meridian.counter_excess e USING settled s WHERE ${table.isExcess(column, 's.pk')} AND s.total = s.shown`;
  return { table: table.name, text, values: [keyRecords(table, keys)], plan: 'anew' };
}

/** Rows of all tables that do not show as much of a counter's sum as its type holds: a local write has changed what they show. */
export async function unsettledRows(
  session: Session,
  tableOf: (name: TableName) => Promise<ApplyTable>,
): Promise<readonly RowRef[]> {
  const { rows: tables } = await session.query('SELECT DISTINCT rel FROM meridian.counter_excess', [], 'with_excess');
  const unsettled: RowRef[] = [];
  for (const [rel] of tables) {
    const table = await tableOf(rel as TableName).catch(unlessDiffers);
    if (table === null || table.counters.length === 0) continue;
    const { rows } = await onTable(table.name, () => session.query(unsettledSql(table)));
    unsettled.push(...rows.map(([pk]) => table.ref(pk!)));
  }
  return unsettled;
}

function unsettledSql(table: ApplyTable): string {
  const key = table.key.map((c, i) => `s.${ident(c.name)} = (e.pk::json ->> ${i})::${c.type}`);
  const differs = table.counters.map((c) => {
    const name = ident(c.name);
    return `e.column_name = ${literal(c.name)} AND t.${name} <> ${shownOf(c, `t.${name} + e.excess`)}`;
  });
  return `SELECT DISTINCT e.pk FROM meridian.counter_excess e
    CROSS JOIN LATERAL (SELECT s.* FROM ${table.name} s WHERE ${key.join(' AND ')} OFFSET 0) t
    WHERE e.rel = ${literal(table.name)} AND (${differs.join(' OR ')})`;
}
