import {
  type ApplyTransaction,
  type Change,
  type Claimant,
  type ConflictRecord,
  type Entry,
  type JsonText,
  type ParkReason,
  type Race,
  type RegionId,
  type Retry,
  type RowEffect,
  type RowRef,
  rowId,
  type RowState,
  type TableName,
  type TableRefused,
  type Tick,
  TransactionRetryError,
  type Values,
  type Vector,
  type WriteOutcome,
} from '@meridian/core';
import { CUT_LOCK } from '../connection/advisory-locks.js';
import { retryError, retryOf } from '../connection/retry.js';
import type { Session } from '../connection/session.js';
import type { OwnSnapshots } from '../log/own-snapshots.js';
import { APPLY_LOCK_TIMEOUT_MS } from '../connection/settings.js';
import { advanceVector, type Positions } from './advance-vector.js';
import { appendTicks, keepImages } from './append-ticks.js';
import { keepClaims, withClaims } from './claims.js';
import { conflictRecords, recordConflicts } from './conflict-rows.js';
import type { CounterRange } from './counter-range.js';
import { violatedKeys } from './deferrable-keys.js';
import { LogEntries } from './log-entries.js';
import { allParked } from './parked-rows.js';
import { keepWaiting, onTable, refusalOf, resume, TableStatementError } from './waiting-changes.js';
import { byTable, lockRows, lockVirtualRows, type Place } from './row-locks.js';
import { childrenOf, holdersOf, readRows } from './virtual-rows.js';
import { type TableOf, writeEffects } from './write-effects.js';

const DONE: WriteOutcome = { retry: null };
const NUMERIC_OUT_OF_RANGE = '22003';

export interface TransactionContext {
  readonly session: Session;
  readonly region: RegionId;
  readonly snapshots: OwnSnapshots;
  readonly tableOf: TableOf;
  readonly tableNames: () => readonly TableName[];
  readonly counters: CounterRange;
  /** A statement failed as one does when a table was altered under it. */
  readonly onTableAltered: () => void;
  /** A counter ran over its type's range: the next transaction shows it clamped. */
  readonly onCounterOverflow: () => void;
  readonly onEnd: () => void;
}

/** One READ COMMITTED transaction of the apply role: every step is a new statement with a snapshot of its own. */
export class PgApplyTransaction implements ApplyTransaction {
  private readonly log: LogEntries;
  private ended = false;

  constructor(private readonly context: TransactionContext) {
    this.log = new LogEntries(context.session, context.region, context.snapshots);
  }

  async lock(rows: readonly RowRef[]): Promise<ReadonlyMap<string, Place> | Retry | TableRefused> {
    return this.orRetry(async () => {
      const places = new Map<string, Place>();
      for (const [name, keys] of byTable(rows))
        for (const [id, place] of await onTable(name, async () =>
          lockVirtualRows(this.session, await this.tableOf(name), keys),
        ))
          places.set(id, place);
      return places;
    }).catch(refusedOr);
  }

  holdParents(rows: readonly RowRef[]): Promise<ReadonlySet<string> | Retry> {
    return this.orRetry(async () => {
      const held = new Set<string>();
      for (const [name, keys] of byTable(rows)) {
        const table = await this.tableOf(name);
        for (const key of await lockRows(this.session, table, keys, 'FOR KEY SHARE'))
          held.add(rowId({ table: name, key }));
      }
      return held;
    });
  }

  entriesAbove(rows: readonly RowRef[], floor: Vector): Promise<readonly Entry[]> {
    return this.step(() => this.log.above(rows, floor));
  }

  entriesOf(rows: readonly RowRef[]): Promise<readonly Entry[]> {
    return this.step(() => this.log.of(rows));
  }

  read(rows: readonly RowRef[]): Promise<ReadonlyMap<string, RowState>> {
    return this.step(async () => {
      const states: RowState[] = [];
      for (const [name, keys] of byTable(rows))
        states.push(...(await readRows(this.session, await this.tableOf(name), keys)));
      return new Map(states.map((state) => [rowId(state.ref), state]));
    });
  }

  children(parents: readonly RowRef[]): Promise<readonly RowState[]> {
    return this.step(async () => {
      const found: RowState[] = [];
      for (const [name, keys] of byTable(parents)) {
        const parent = await this.tableOf(name);
        for (const child of await this.referring(name))
          found.push(...(await childrenOf(this.session, child, parent, keys)));
      }
      return [...new Map(found.map((row) => [rowId(row.ref), row])).values()];
    });
  }

  claimants(name: TableName, uniqueKey: string, values: readonly Values[]): Promise<readonly Claimant[]> {
    return this.step(async () => {
      const table = await this.tableOf(name);
      const key = table.spec.uniqueKeys.find((k) => k.name === uniqueKey);
      if (key === undefined) throw new RangeError(`${name} has no unique key "${uniqueKey}"`);
      const holders = await holdersOf(this.session, table, key.columns, key.nullsDistinct, values);
      return withClaims(this.session, this.log, table, holders);
    });
  }

  keepClaims(rows: readonly Claimant[]): Promise<void> {
    return this.step(() => keepClaims(this.session, rows));
  }

  parked(): Promise<readonly Claimant[]> {
    return this.step(() => allParked(this.session, (name) => this.tableOf(name)));
  }

  async write(effects: readonly RowEffect[]): Promise<WriteOutcome | TableRefused> {
    try {
      return await this.orRetry(() =>
        writeEffects(this.session, (name) => this.tableOf(name), effects, this.context.counters),
      );
    } catch (error) {
      if (this.context.counters === 'clamp' || !(await this.isCounterOverflow(error))) return refusedOr(error);
      this.context.onCounterOverflow();
      return { retry: 'counter overflow', detail: (error as Error).message };
    }
  }

  /** Another applier's tick is there, or arrives while ours waits for it: to try once more would fail in the same way. */
  async append(ticks: readonly Tick[]): Promise<void> {
    try {
      await this.step(() => appendTicks(this.session, ticks));
    } catch (error) {
      if (!(error instanceof TransactionRetryError) || error.because.retry !== 'unique violation') throw error;
      throw new TransactionRetryError({ retry: 'overtaken', detail: error.because.detail }, { cause: error });
    }
  }

  keepWaiting(changes: readonly Change[], reasons: ReadonlyMap<TableName, string>): Promise<void> {
    return this.step(() => keepWaiting(this.session, changes, reasons));
  }

  waitingChanges(table: TableName): Promise<readonly Entry[]> {
    return this.step(() => this.log.waiting(table));
  }

  resume(table: TableName): Promise<void> {
    return this.step(() => resume(this.session, table));
  }

  keepImages(images: readonly { readonly ref: RowRef; readonly image: JsonText }[]): Promise<void> {
    return this.step(() => keepImages(this.session, images));
  }

  recordRaces(races: readonly Race[]): Promise<void> {
    if (races.length === 0) return Promise.resolve();
    return this.step(async () => {
      await this.session.query(RECORD_RACES, [JSON.stringify(races)], 'record_races');
    });
  }

  recordConflicts(records: readonly ConflictRecord[]): Promise<void> {
    return this.step(() => recordConflicts(this.session, this.context.region, records));
  }

  conflictRecords(ids: readonly string[]): Promise<ReadonlyMap<string, ConflictRecord>> {
    return this.step(() => conflictRecords(this.session, ids));
  }

  advance(ticks: readonly Tick[], positions: Positions): Promise<WriteOutcome> {
    return this.orRetry(() => advanceVector(this.session, ticks, positions));
  }

  check(rows: readonly RowRef[]): Promise<readonly ParkReason[]> {
    return this.step(async () => {
      const violated: ParkReason[] = [];
      for (const [name, keys] of byTable(rows))
        violated.push(...(await violatedKeys(this.session, await this.tableOf(name), keys)));
      return violated;
    });
  }

  /** As long as the relay needs: it waits for no row, so it cannot be waiting for us. */
  takeCutLock(): Promise<void> {
    return this.step(async () => {
      const wait = `SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${CUT_LOCK})`;
      await this.session.script(`${wait}; SET LOCAL lock_timeout = ${APPLY_LOCK_TIMEOUT_MS}`);
    });
  }

  async commit(): Promise<WriteOutcome> {
    try {
      const outcome = await this.orRetry(async () => {
        await this.session.query('COMMIT');
        return DONE;
      });
      this.end();
      return outcome;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    if (this.ended) return;
    // A lost session's transaction is rolled back by its end.
    if (this.session.alive) await this.session.query('ROLLBACK').catch(() => this.session.close());
    this.end();
  }

  private get session(): Session {
    return this.context.session;
  }

  private tableOf(name: TableName): ReturnType<TableOf> {
    return this.context.tableOf(name);
  }

  private async referring(parent: TableName): Promise<Awaited<ReturnType<TableOf>>[]> {
    const tables = await Promise.all(this.context.tableNames().map((name) => this.tableOf(name)));
    return tables.filter((t) => t.spec.foreignKeys.some((f) => f.parent === parent));
  }

  private async isCounterOverflow(error: unknown): Promise<boolean> {
    if (!(error instanceof TableStatementError) || (error.cause as { code?: string }).code !== NUMERIC_OUT_OF_RANGE)
      return false;
    return (await this.tableOf(error.table)).spec.counters.length > 0;
  }

  private async orRetry<T>(work: () => Promise<T>): Promise<T | Retry> {
    try {
      return await work();
    } catch (error) {
      const retry = retryOf(error instanceof TableStatementError ? error.cause : error);
      if (retry !== null) return retry;
      throw this.noticed(error);
    }
  }

  private async step<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.noticed(retryError(error));
    }
  }

  /** Class 42: a column, type or table is not what it was when the statement was made; nor is a table that refuses. */
  private noticed(error: unknown): unknown {
    const { cause = error } = error as { cause?: unknown };
    if ((cause as { code?: string }).code?.startsWith('42') === true || refusalOf(error) !== null)
      this.context.onTableAltered();
    return error;
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.context.onEnd();
  }
}

/** The table's refusal as a value; any other error stays one. */
function refusedOr(error: unknown): TableRefused {
  const refused = refusalOf(error);
  if (refused === null) throw error;
  return refused;
}

const RECORD_RACES = /* sql */ `
INSERT INTO meridian.race AS r (change_id, origin, seq)
SELECT change, origin, min(seq) FROM json_to_recordset($1::json) AS x(change bigint, origin text, seq bigint) GROUP BY 1, 2
ON CONFLICT (change_id, origin) DO UPDATE SET seq = least(r.seq, excluded.seq)`;
