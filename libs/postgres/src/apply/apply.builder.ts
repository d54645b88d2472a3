import type {
  ApplyTransaction,
  JsonText,
  RowEffect,
  TableRefused,
  RowKey,
  RowRef,
  TableName,
  Tick,
  WriteOutcome,
} from '@meridian/core';
import type { TestRegion } from '../region.builder.js';

export const tableName = (name: string): TableName => name as TableName;
export const rowRef = (table: string, ...key: string[]): RowRef => ({
  table: tableName(table),
  key: `[${key.map((k) => JSON.stringify(k)).join(', ')}]` as RowKey,
});
export const jsonText = (values: object): JsonText => JSON.stringify(values) as JsonText;

/** One transaction of apply; rolled back when `work` throws or has to be taken again. */
export async function applying<T>(region: TestRegion, work: (tx: ApplyTransaction) => Promise<T>): Promise<T> {
  // As the applier does before every attempt: what an earlier one refused is read anew.
  await region.apply.enrolments();
  const tx = await region.apply.begin();
  try {
    const result = await work(tx);
    if (!mustRetry(result)) await tx.commit();
    return result;
  } finally {
    await tx.rollback();
  }
}

const mustRetry = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'retry' in result && result.retry !== null;

/** Without the log: what apply does to the tables alone. */
export const writing = (region: TestRegion, effects: readonly RowEffect[]): Promise<WriteOutcome | TableRefused> =>
  applying(region, (tx) => tx.write(effects));

/** Ticks as if nothing stood against them, without their rows: log and vector. */
export const receiving = (region: TestRegion, ticks: readonly Tick[]): Promise<WriteOutcome> =>
  applying(region, async (tx) => {
    await tx.append(ticks);
    return tx.advance(ticks, new Map());
  });

/** Until some session of this database waits for a lock in a statement like this. */
export async function waitingFor(region: TestRegion, statement: string): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'`;
  while ((await region.user.query(sql, [statement])).rowCount === 0);
}
