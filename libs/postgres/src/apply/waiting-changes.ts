import type { Change, TableName, TableRefused } from '@meridian/core';
import { expect, OVERTAKEN } from '../connection/expectations.js';
import { answersTo, type Session } from '../connection/session.js';
import { TableDiffersError } from './apply-table.js';

/** By origin and id, as `append` has just put them into the log. */
const KEEP = /* sql */ `
INSERT INTO meridian.waiting_change (log_id, rel, origin, seq)
SELECT c.id, c.rel, c.origin, c.seq
  FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS w(origin, seq, origin_id)
  JOIN meridian.change c ON c.origin = w.origin AND c.seq = w.seq AND c.origin_id = w.origin_id`;

const SAY_WHY = /* sql */ `
UPDATE meridian.enrolled_table t SET state = 'waiting', reason = w.reason
  FROM unnest($1::text[], $2::text[]) AS w(rel, reason)
 WHERE t.rel = w.rel AND (t.state <> 'waiting' OR t.reason IS DISTINCT FROM w.reason)`;

/** Raises OVERTAKEN where nothing waits any more: the table was un-enrolled. */
const RESUME = /* sql */ `
WITH resumed AS (DELETE FROM meridian.waiting_change WHERE rel = $1::text RETURNING 1)
SELECT ${expect('EXISTS (SELECT FROM resumed)', OVERTAKEN, `'nothing waits for ' || $1::text || ': it was un-enrolled'`)}`;

export function keepWaiting(
  session: Session,
  changes: readonly Change[],
  reasons: ReadonlyMap<TableName, string>,
): Promise<unknown> {
  const columns = [changes.map((c) => c.origin), changes.map((c) => c.seq), changes.map((c) => c.id)];
  const asked = [session.query(KEEP, columns, 'keep_waiting')];
  if (reasons.size > 0) asked.push(session.query(SAY_WHY, [[...reasons.keys()], [...reasons.values()]], 'say_why'));
  return answersTo(asked);
}

export async function waitingTables(session: Session): Promise<ReadonlySet<TableName>> {
  const { rows } = await session.query('SELECT DISTINCT rel FROM meridian.waiting_change', [], 'waiting_tables');
  return new Set(rows.map(([rel]) => rel as TableName));
}

/** The changes of this transaction's batch: those that came later would be waiting behind them, and nothing else applies. */
export function resume(session: Session, table: TableName): Promise<unknown> {
  const active = `UPDATE meridian.enrolled_table SET state = 'active', reason = NULL WHERE rel = $1`;
  return answersTo([session.query(RESUME, [table], 'resume'), session.query(active, [table], 'resumed')]);
}

/** A statement on this table failed: whether the table refuses or the transaction is to be taken again, its cause tells. */
export class TableStatementError extends Error {
  constructor(
    readonly table: TableName,
    override readonly cause: unknown,
  ) {
    super((cause as Error).message, { cause });
  }
}

/** The same for what is made for a table before anything is asked for. */
export function madeFor<T>(table: TableName, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new TableStatementError(table, error);
  }
}

export async function onTable<T>(table: TableName, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TableStatementError(table, error);
  }
}

/** Null: the failure is not the table's. */
export const refusalOf = (error: unknown): TableRefused | null =>
  error instanceof TableStatementError && (isRefusal(error.cause) || error.cause instanceof TableDiffersError)
    ? { retry: 'table refused', table: error.table, detail: error.message }
    : null;

/** Data of one region that another cannot take: classes 22 and 23, 42 (not what it was), 54 (too large), P0001 (a trigger's own refusal). */
const REFUSALS = /^(22|23|42|54|P0001)/;

const isRefusal = (error: unknown): boolean => REFUSALS.test((error as { code?: string }).code ?? '');
