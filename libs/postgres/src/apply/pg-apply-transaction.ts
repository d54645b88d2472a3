import {
  type ApplyTransaction,
  type Change,
  type Claim,
  type Claimant,
  type ConflictRecord,
  type Enrolments,
  type Entry,
  type Held,
  type JsonText,
  type Merge,
  type OwnChange,
  type OpenSiblings,
  type ParkReason,
  type Places,
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
import { retryOf } from '../connection/retry.js';
import { answersTo, type Session } from '../connection/session.js';
import type { OwnSnapshots } from '../log/own-snapshots.js';
import { APPLY_LOCK_TIMEOUT_MS } from '../connection/settings.js';
import { advanceVector, type Positions } from './advance-vector.js';
import { appendTicks, isLargeAppend, keepImages } from './append-ticks.js';
import { type ApplyTable, TableDiffersError } from './apply-table.js';
import { keepClaims, keptClaimsOf, withClaims } from './claims.js';
import { conflictRecords, recordConflicts } from './conflict-rows.js';
import { countMerges } from './merge-counts.js';
import { unsettledRows } from './counter-excess.js';
import type { CounterRange } from './counter-range.js';
import { violatedKeys } from './deferrable-keys.js';
import { LogEntries } from './log-entries.js';
import { holdWriters, logOwn } from './own-changes.js';
import type { SiblingWatch } from './open-siblings.js';
import { outsidersLetGo } from './outside-referrers.js';
import { forgetOvertaken } from '../log/overtaken.js';
import { allParked } from './parked-rows.js';
import { keepWaiting, onTable, resume, TableStatementError } from './waiting-changes.js';
import { byTable, FEW_ROWS, lockRows, lockVirtualRows, lockVirtualRowsAtOnce, type Place } from './row-locks.js';
import { refusedOr, TransactionSteps } from './transaction-steps.js';
import { childrenOf, holdersOf, readRows } from './virtual-rows.js';
import { isLargeWrite, writeEffects } from './write-effects.js';

const NUMERIC_OUT_OF_RANGE = '22003';

export interface TransactionContext {
  readonly session: Session;
  readonly region: RegionId;
  readonly snapshots: OwnSnapshots;
  readonly siblings: SiblingWatch;
  readonly tableOf: (name: TableName) => Promise<ApplyTable>;
  readonly enrolments: () => Enrolments;
  readonly rangeOf: (name: TableName) => CounterRange;
  /** A statement failed as one does when a table was altered under it. */
  readonly onTableAltered: () => void;
  /** A counter ran over its type's range: the next transaction shows its bound, and keeps the excess. */
  readonly onCounterOverflow: () => void;
  readonly onEnd: () => void;
}

/**
 * One READ COMMITTED transaction of the apply role: every step is a new statement with a snapshot of its own, and
 * they run in the order of asking ({@link TransactionSteps}).
 */
export class PgApplyTransaction implements ApplyTransaction {
  private readonly log: LogEntries;
  private readonly steps: TransactionSteps;
  /** Those that this transaction has asked for. */
  private readonly tables = new Map<TableName, ApplyTable>();
  /** Called with the commit. */
  private committed: () => void = () => undefined;
  private ended = false;

  constructor(private readonly context: TransactionContext) {
    this.steps = new TransactionSteps(context.session, context.onTableAltered);
    this.log = new LogEntries(context.session, context.region, context.snapshots, context.enrolments().ended);
  }

  async hold(rows: readonly RowRef[], floor: Vector): Promise<Held | Retry | TableRefused> {
    if (rows.length <= FEW_ROWS) {
      const held = await this.steps.answerOrRetry(() => this.holdAtOnce(rows, floor)).catch(refusedOr);
      if (held !== null) return held;
    }
    const places = await this.lock(rows);
    return 'retry' in places ? places : { places, entries: await this.entriesAbove(rows, floor) };
  }

  async lock(rows: readonly RowRef[]): Promise<Places | Retry | TableRefused> {
    return this.steps
      .answerOrRetry(async () => {
        const places = new Map<string, Place>();
        for (const [name, keys] of byTable(rows))
          for (const [id, place] of await onTable(name, async () =>
            lockVirtualRows(this.session, await this.tableOf(name), keys),
          ))
            places.set(id, place);
        return places;
      })
      .catch(refusedOr);
  }

  holdParents(rows: readonly RowRef[]): Promise<ReadonlySet<string> | Retry | TableRefused> {
    return this.steps
      .answerOrRetry(async () => {
        const held = new Set<string>();
        for (const [name, keys] of byTable(rows)) {
          const locked = await onTable(name, async () =>
            lockRows(this.session, await this.tableOf(name), keys, 'FOR KEY SHARE'),
          );
          for (const key of locked) held.add(rowId({ table: name, key }));
        }
        return held;
      })
      .catch(refusedOr);
  }

  entriesAbove(rows: readonly RowRef[], floor: Vector): Promise<readonly Entry[]> {
    return this.steps.answer(() => this.log.above(rows, floor));
  }

  entriesOf(rows: readonly RowRef[]): Promise<readonly Entry[]> {
    return this.steps.answer(() => this.log.of(rows));
  }

  read(rows: readonly RowRef[]): Promise<ReadonlyMap<string, RowState>> {
    return this.steps.answer(async () => {
      const states: RowState[] = [];
      for (const [name, keys] of byTable(rows))
        states.push(...(await readRows(this.session, await this.tableOf(name), keys)));
      return new Map(states.map((state) => [rowId(state.ref), state]));
    });
  }

  children(parents: readonly RowRef[]): Promise<readonly RowState[]> {
    return this.steps.answer(async () => {
      const found: RowState[] = [];
      for (const [name, keys] of byTable(parents)) {
        const parent = await this.tableOf(name);
        for (const child of await this.referring(name))
          found.push(...(await onTable(child.name, () => childrenOf(this.session, child, parent, keys))));
      }
      return [...new Map(found.map((row) => [rowId(row.ref), row])).values()];
    });
  }

  claimants(name: TableName, uniqueKey: string, values: readonly Values[]): Promise<readonly Claimant[]> {
    return this.steps.answer(async () => {
      const table = await this.tableOf(name);
      const key = table.spec.uniqueKeys.find((k) => k.name === uniqueKey);
      if (key === undefined) throw new RangeError(`${name} has no unique key "${uniqueKey}"`);
      const holders = await holdersOf(this.session, table, key.columns, key.nullsDistinct, values);
      return withClaims(this.session, this.log, table, holders);
    });
  }

  keepClaims(rows: readonly Claimant[]): Promise<void> {
    return this.steps.answer(() => keepClaims(this.session, rows));
  }

  keptClaims(rows: readonly RowRef[]): Promise<ReadonlyMap<string, ReadonlyMap<string, Claim>>> {
    return this.steps.answer(() => keptClaimsOf(this.session, rows));
  }

  deletedAbove(tables: readonly TableName[], floor: Vector): Promise<readonly RowRef[]> {
    return this.steps.answer(() => this.log.deletedAbove(tables, floor));
  }

  removeOvertaken(): Promise<readonly RowRef[]> {
    return this.steps.answer(() => forgetOvertaken(this.session));
  }

  parked(): Promise<readonly Claimant[]> {
    return this.steps.answer(() => allParked(this.session, (name) => this.tableOf(name)));
  }

  unsettled(): Promise<readonly RowRef[]> {
    return this.steps.answer(() => unsettledRows(this.session, (name) => this.tableOf(name)));
  }

  async write(effects: readonly RowEffect[]): Promise<WriteOutcome | TableRefused> {
    try {
      const unknown = effects.filter((effect) => !this.tables.has(effect.table));
      if (unknown.length > 0) await this.load(unknown.map(({ table }) => table));
      const isLarge = isLargeWrite(effects);
      return await this.steps.done(() => {
        assertAgreed(effects.map(({ table }) => this.tables.get(table)!));
        const isEnrolled = (name: TableName) => this.context.enrolments().tables.has(name);
        const looks = outsidersLetGo(this.tables, isEnrolled, effects);
        return writeEffects(this.session, this.tables, effects, this.context.rangeOf, looks, isLarge);
      }, isLarge);
    } catch (error) {
      if (!(await this.isCounterOverflow(error))) return refusedOr(error);
      this.context.onCounterOverflow();
      return { retry: 'counter overflow', detail: (error as Error).message };
    }
  }

  append(ticks: readonly Tick[]): Promise<void> {
    const isLarge = isLargeAppend(ticks);
    return this.steps.send(() => appendTicks(this.session, ticks, isLarge).catch(overtakenOr), isLarge);
  }

  keepWaiting(changes: readonly Change[], reasons: ReadonlyMap<TableName, string>): Promise<void> {
    return this.steps.send(() => keepWaiting(this.session, changes, reasons));
  }

  waitingChanges(table: TableName): Promise<readonly Entry[]> {
    return this.steps.answer(() => this.log.waiting(table));
  }

  resume(table: TableName): Promise<void> {
    return this.steps.send(() => resume(this.session, table));
  }

  keepImages(images: readonly { readonly ref: RowRef; readonly image: JsonText }[]): Promise<void> {
    return this.steps.send(() => keepImages(this.session, images));
  }

  recordRaces(races: readonly Race[]): Promise<void> {
    if (races.length === 0) return Promise.resolve();
    return this.steps.send(() => this.session.query(RECORD_RACES, [JSON.stringify(races)], 'record_races'));
  }

  logOwn(changes: readonly OwnChange[]): Promise<void> {
    return this.steps.answer(() => logOwn(this.session, this.context.region, changes));
  }

  async holdWriters(tables: readonly TableName[]): Promise<WriteOutcome | TableRefused> {
    const [first] = tables;
    const hold = (): Promise<unknown> => holdWriters(this.session, tables, APPLY_LOCK_TIMEOUT_MS);
    return this.steps.done(() => onTable(first!, hold)).catch(refusedOr);
  }

  recordConflicts(records: readonly ConflictRecord[]): Promise<void> {
    return this.steps.answer(() => recordConflicts(this.session, this.context.region, records));
  }

  countMerges(merges: readonly Merge[]): Promise<void> {
    return this.steps.send(() => countMerges(this.session, merges));
  }

  conflictRecords(ids: readonly string[]): Promise<ReadonlyMap<string, ConflictRecord>> {
    return this.steps.answer(() => conflictRecords(this.session, ids));
  }

  openSiblings(): Promise<OpenSiblings> {
    return this.steps.answer(async () => {
      const { look, ...siblings } = await this.context.siblings.read(this.session, this.context.region);
      this.committed = () => this.context.siblings.goOn(look);
      return siblings;
    });
  }

  advance(ticks: readonly Tick[], positions: Positions): Promise<WriteOutcome> {
    return this.steps.done(() => advanceVector(this.session, ticks, positions, this.context.enrolments().ended));
  }

  check(rows: readonly RowRef[]): Promise<readonly ParkReason[]> {
    return this.steps.answer(async () => {
      const violated: ParkReason[] = [];
      for (const [name, keys] of byTable(rows))
        violated.push(...(await violatedKeys(this.session, await this.tableOf(name), keys)));
      return violated;
    });
  }

  /** As long as the relay needs: it waits for no row, so it cannot be waiting for us. */
  takeCutLock(): Promise<void> {
    const wait = `SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${CUT_LOCK})`;
    return this.steps.send(() => this.session.script(`${wait}; SET LOCAL lock_timeout = ${APPLY_LOCK_TIMEOUT_MS}`));
  }

  lookAgain(rows: readonly RowRef[], floor: Vector): Promise<WriteOutcome> {
    return this.steps.done(() => this.log.lookAgain(rows, floor));
  }

  async commit(): Promise<WriteOutcome> {
    try {
      const outcome = await this.steps.commit();
      if (outcome.retry === null) {
        this.committed();
        this.end();
      } else await this.rollback();
      return outcome;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    if (this.ended) return;
    await this.steps.rollback();
    this.end();
  }

  /** In one round trip; null when a row came while another was waited for, so that all have to be looked for again. */
  private async holdAtOnce(rows: readonly RowRef[], floor: Vector): Promise<Held | null> {
    const keys = byTable(rows);
    const tables = await Promise.all(keys.map(([name]) => onTable(name, () => this.tableOf(name))));
    const locking = keys.map(([name, of], i) =>
      onTable(name, () => lockVirtualRowsAtOnce(this.session, tables[i]!, of)),
    );
    const reading = this.log.above(rows, floor);
    const places = await answersTo(locking, reading);
    if (places.includes(null)) return null;
    return { places: new Map(places.flatMap((of) => [...of!])), entries: await reading };
  }

  private get session(): Session {
    return this.context.session;
  }

  private async tableOf(name: TableName): Promise<ApplyTable> {
    const table = await this.context.tableOf(name);
    this.tables.set(name, table);
    return table;
  }

  private async referring(parent: TableName): Promise<ApplyTable[]> {
    const { tables } = this.context.enrolments();
    const children = [...tables.values()].filter((t) => t.foreignKeys.some((f) => f.parent === parent));
    return Promise.all(children.map(({ name }) => onTable(name, () => this.tableOf(name))));
  }

  private async isCounterOverflow(error: unknown): Promise<boolean> {
    if (!(error instanceof TableStatementError) || (error.cause as { code?: string }).code !== NUMERIC_OUT_OF_RANGE)
      return false;
    return this.context.rangeOf(error.table) === 'exact' && (await this.tableOf(error.table)).spec.counters.length > 0;
  }

  /** Tables that no step has asked for yet. */
  private load(names: readonly TableName[]): Promise<unknown> {
    return this.steps.load(Promise.all([...new Set(names)].map((name) => onTable(name, () => this.tableOf(name)))));
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.context.onEnd();
  }
}

/** Another applier's tick is there, or arrives while ours waits for it: to try once more would fail in the same way. */
function overtakenOr(error: unknown): never {
  const { schema, table } = error as { schema?: string; table?: string };
  const retry = retryOf(error);
  if (retry?.retry !== 'unique violation' || schema !== 'meridian' || table !== 'tick') throw error;
  throw new TransactionRetryError({ retry: 'overtaken', detail: retry.detail }, { cause: error });
}

function assertAgreed(tables: readonly ApplyTable[]): void {
  const table = tables.find((t) => t.differs !== null);
  if (table !== undefined) throw new TableStatementError(table.name, new TableDiffersError(table.name, table.differs!));
}

const RECORD_RACES = /* sql */ `
INSERT INTO meridian.race AS r (change_id, origin, seq)
SELECT change, origin, min(seq) FROM json_to_recordset($1::json) AS x(change bigint, origin text, seq bigint) GROUP BY 1, 2
ON CONFLICT (change_id, origin) DO UPDATE SET seq = least(r.seq, excluded.seq)`;
