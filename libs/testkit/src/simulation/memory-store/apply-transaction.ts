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
  isPast,
  type Merge,
  type OwnChange,
  type OpenSiblings,
  type ParkReason,
  type Places,
  type Race,
  type Retry,
  type RowEffect,
  type RowRef,
  type RowState,
  distinctRows,
  rowId,
  seq,
  siblingsIn,
  type TableName,
  type Tick,
  TransactionRetryError,
  type Values,
  type Vector,
  at,
  changeRef,
  type WriteOutcome,
} from '@meridian/core';
import type { Agent, Micros } from '../scheduler.js';
import { fullValues } from './counter-range.js';
import { Capture } from './capture.js';
import { recordOf, recordsOf, writeRecord } from './conflict-rows.js';
import type { MemoryDatabase } from './database.js';
import { EffectWriter } from './effect-writer.js';
import { excludeWriters } from './enrolment.js';
import { entryOf } from './entries.js';
import { type LogRow, remoteRow } from './log.js';
import { type Snapshot, visibleIn } from './snapshot.js';
import { childrenOf, claimantOf, virtualRows, VirtualRows } from './virtual-rows.js';

/** Below deadlock_timeout: apply starts over, never its user's transaction (design 5). */
const LOCK_TIMEOUT: Micros = 500_000;
const OK: WriteOutcome = { retry: null };
const timedOut = (detail: string): Retry => ({ retry: 'lock timeout', detail });

/** The memory store's side of apply's port. Every method is at least one step of the scheduler. */
export class MemoryApplyTransaction extends EffectWriter implements ApplyTransaction {
  private readonly ownRaces: Race[] = [];
  private readonly advanced = new Map<string, number>();
  private readonly appended: Tick[] = [];
  private last: Promise<unknown> = Promise.resolve();
  /** The snapshot of the first look at the log. */
  private seen: Snapshot | undefined;
  private failure: Error | undefined;

  constructor(
    db: MemoryDatabase,
    agent: Agent,
    /** As they were read before. */
    private readonly enrolments: Enrolments,
  ) {
    super(db, agent, LOCK_TIMEOUT);
  }

  async hold(rows: readonly RowRef[], floor: Vector): Promise<Held | Retry> {
    const places = await this.lock(rows);
    return 'retry' in places ? places : { places, entries: await this.entriesAbove(rows, floor) };
  }

  async lock(rows: readonly RowRef[]): Promise<Places | Retry> {
    const wanted = inOrder(rows);
    for (;;) {
      await this.agent.step('lock');
      const seen = wanted.map((ref) => ({ ref, incarnation: this.row(ref)?.incarnation, parked: this.parkedRow(ref) }));
      for (const { ref, incarnation, parked } of seen) {
        if (incarnation !== undefined && !this.heldRow(ref, incarnation)) {
          if ((await this.lockRow(ref, 'update')) === 'timeout') return timedOut(rowId(ref));
          await this.agent.step('locked');
          // FOR UPDATE skips a row that was deleted and inserted anew while it waited.
          if (this.row(ref)?.incarnation === incarnation) this.nowHolds(ref, incarnation);
        }
        if (parked !== null && (await this.lockParked(ref)) === 'timeout') return timedOut(`parked ${rowId(ref)}`);
      }
      await this.agent.step('look again');
      if (wanted.every((ref) => this.securely(ref))) return this.places(wanted);
    }
  }

  async holdParents(rows: readonly RowRef[]): Promise<ReadonlySet<string> | Retry> {
    await this.agent.step('hold parents');
    const held = new Set<string>();
    for (const ref of inOrder(rows)) {
      const seen = this.row(ref);
      if (seen === null) continue;
      if ((await this.lockRow(ref, 'key share')) === 'timeout') return timedOut(rowId(ref));
      if (this.row(ref)?.incarnation === seen.incarnation) held.add(rowId(ref));
    }
    return held;
  }

  async entriesAbove(rows: readonly RowRef[], floor: Vector): Promise<readonly Entry[]> {
    await this.agent.step('entries above');
    this.seen ??= this.db.snapshot();
    return this.versionsOf(rows)
      .filter((row) => row.seq === null || row.seq > at(floor, row.change.origin))
      .map((row) => this.entry(row));
  }

  entriesOf(rows: readonly RowRef[]): Promise<readonly Entry[]> {
    return this.inOrder(async () => {
      await this.agent.step('entries of');
      return this.versionsOf(rows).map((row) => this.entry(row));
    });
  }

  async read(rows: readonly RowRef[]): Promise<ReadonlyMap<string, RowState>> {
    await this.agent.step('read');
    return new Map(rows.flatMap((ref) => virtualRows(this, ref)).map((state) => [rowId(state.ref), state]));
  }

  async children(parents: readonly RowRef[]): Promise<readonly RowState[]> {
    await this.agent.step('children');
    return childrenOf(this, new Set(parents.map(rowId)));
  }

  async claimants(table: TableName, uniqueKey: string, values: readonly Values[]): Promise<readonly Claimant[]> {
    await this.agent.step('claimants');
    return new VirtualRows(this).claiming(table, uniqueKey, values);
  }

  keepClaims(rows: readonly Claimant[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('keep claims');
      this.writing();
      this.writes.others.push(() => {
        for (const { row, claims } of rows)
          for (const [key, claim] of claims) if (claim !== null) this.db.keepClaim(row.ref, key, claim);
      });
    });
  }

  async keptClaims(rows: readonly RowRef[]): Promise<ReadonlyMap<string, ReadonlyMap<string, Claim>>> {
    await this.agent.step('kept claims');
    return new Map(rows.map((ref) => [rowId(ref), new Map(this.db.claims.get(rowId(ref)))]));
  }

  async deletedAbove(tables: readonly TableName[], floor: Vector): Promise<readonly RowRef[]> {
    await this.agent.step('deleted above');
    return this.db.log.deletedAbove(tables, floor);
  }

  async removeOvertaken(): Promise<readonly RowRef[]> {
    await this.agent.step('remove overtaken');
    const refs = this.db.overtaken();
    for (const ref of refs) this.putParked(ref, null);
    return refs;
  }

  async parked(): Promise<readonly Claimant[]> {
    await this.agent.step('parked');
    return this.allParked().map(claimantOf);
  }

  async unsettled(): Promise<readonly RowRef[]> {
    await this.agent.step('unsettled');
    const refs: RowRef[] = [];
    for (const table of this.db.specs.keys())
      for (const { ref, row } of this.visibleRows(table)) {
        const { values } = this.counted(ref, fullValues(row));
        if (this.db.spec(table).counters.some((column) => values[column] !== row.values[column])) refs.push(ref);
      }
    return refs;
  }

  append(ticks: readonly Tick[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('append');
      const xid = this.writing();
      for (const { changes, seq: of } of ticks)
        for (const change of changes) this.writes.log.push(remoteRow(this.db.nextLogId(), xid, change, of));
      this.appended.push(...ticks);
      this.writes.others.push(() => ticks.forEach((tick) => this.db.keepTick(tick)));
    });
  }

  keepWaiting(changes: readonly Change[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('keep waiting');
      const names = new Set(changes.map(changeRef));
      const rows = this.writes.log.filter((row) => row.seq !== null && names.has(changeRef(row.change)));
      this.writes.others.push(() => rows.forEach((row) => this.db.waiting.add(row)));
    });
  }

  async waitingChanges(table: TableName): Promise<readonly Entry[]> {
    await this.agent.step('waiting changes');
    return this.db.waitingOf(table).map((row) => this.entry(row));
  }

  resume(table: TableName): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('resume');
      this.writing();
      const rows = this.db.waitingOf(table);
      this.writes.others.push(() => rows.forEach((row) => this.db.waiting.delete(row)));
    });
  }

  keepImages(images: readonly { readonly ref: RowRef; readonly image: JsonText }[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('keep images');
      this.writing();
      for (const { ref, image } of images)
        for (const row of this.logOf([ref]).filter((r) => r.change.op === 'delete')) {
          if (this.writes.log.includes(row)) row.image = image;
          else this.writes.others.push(() => (row.image = image));
        }
    });
  }

  recordRaces(races: readonly Race[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('record races');
      this.writing();
      this.ownRaces.push(...races);
      this.writes.others.push(() => races.forEach((race) => this.db.recordRace(race)));
    });
  }

  logOwn(changes: readonly OwnChange[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('log own');
      const capture = new Capture(this.db, this.writing(), 'meridian');
      this.writes.log.push(...changes.map((change) => capture.own(change)));
    });
  }

  holdWriters(tables: readonly TableName[]): Promise<WriteOutcome> {
    return this.inOrder(async () => {
      for (const table of tables) {
        await this.agent.step('hold writers');
        if ((await excludeWriters(this.db, this, table)) === 'timeout') return timedOut(table);
      }
      return OK;
    });
  }

  recordConflicts(records: readonly ConflictRecord[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('record conflicts');
      for (const record of records) {
        const { ref, row, log } = writeRecord(this, this.writing(), record);
        if ((await this.lockRow(ref, 'update')) === 'timeout') throw new Error('somebody else holds a conflict record');
        this.putRow(ref, row);
        if (log !== null) this.writes.log.push(log);
      }
    });
  }

  countMerges(merges: readonly Merge[]): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('count merges');
      this.writing();
      this.writes.others.push(() => this.db.countMerges(merges));
    });
  }

  conflictRecords(ids: readonly string[]): Promise<ReadonlyMap<string, ConflictRecord>> {
    return this.inOrder(async () => {
      await this.agent.step('conflict records');
      return new Map(ids.flatMap((id) => recordOf(this, id)).map((record) => [record.id, record]));
    });
  }

  openSiblings(): Promise<OpenSiblings> {
    return this.inOrder(async () => {
      await this.agent.step('open siblings');
      const own = recordsOf(this).filter((r) => r.region === this.db.region && siblingsIn(r).length > 0);
      return { records: own, forgotten: this.db.forgotten };
    });
  }

  advance(ticks: readonly Tick[]): Promise<WriteOutcome> {
    return this.inOrder(async () => {
      await this.agent.step('enrolments stand');
      const ended = ticks.flatMap((tick) => tick.changes).find(({ table }) => this.hasEnded(table));
      if (ended !== undefined) return { retry: 'overtaken', detail: `an enrolment of ${ended.table} has ended` };
      for (const tick of ticks) {
        await this.agent.step('advance');
        const { origin } = tick;
        if ((await this.db.locks.acquire(this, `applied ${origin}`)) === 'timeout')
          return timedOut(`the vector's ${origin}`);
        const here = this.advanced.get(origin) ?? this.db.applied.get(origin)?.seq ?? 0;
        if (here !== tick.seq - 1)
          return { retry: 'overtaken', detail: `${origin} is at ${here}, not ${tick.seq - 1}` };
        this.advanced.set(origin, tick.seq);
        this.writing();
        this.writes.others.push(() =>
          this.db.applied.set(origin, { seq: seq(tick.seq), digest: tick.digest, deps: tick.deps }),
        );
        this.db.raiseStampFloor(tick);
      }
      return OK;
    });
  }

  /** What the replica role does not check; this model's tables have no deferrable constraints. */
  check(): Promise<readonly ParkReason[]> {
    return this.inOrder(async () => {
      await this.agent.step('check');
      return [];
    });
  }

  takeCutLock(): Promise<void> {
    return this.inOrder(async () => {
      await this.agent.step('cut lock');
      while (!this.db.locks.tryAcquire(this, 'cut')) await this.db.locks.acquire(this, 'cut');
    });
  }

  lookAgain(rows: readonly RowRef[]): Promise<WriteOutcome> {
    return this.inOrder(async () => {
      await this.agent.step('look again');
      const late = rows.flatMap((ref) => this.db.log.of(ref)).find((row) => !visibleIn(this.seen!, row.xid));
      return late === undefined ? OK : { retry: 'row appeared', detail: rowId(late.change) };
    });
  }

  async commit(): Promise<WriteOutcome> {
    try {
      return await this.inOrder(async () => {
        await this.agent.step('commit');
        this.makeVisible('apply', this.appended);
        await this.agent.step('committed');
        return OK;
      });
    } catch (error) {
      this.end();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    await this.last;
    await this.agent.step('rollback');
    this.end();
  }

  override write(effects: readonly RowEffect[]): Promise<WriteOutcome> {
    return this.inOrder(() => super.write(effects));
  }

  /** Behind a step that failed, or asked for a retry, none does anything: the transaction is aborted. */
  private inOrder<T>(step: () => Promise<T>): Promise<T> {
    const mine = this.last.then(() => {
      if (this.failure !== undefined) throw this.failure;
      return step();
    });
    this.last = mine.then(
      (outcome) => {
        const retry = (outcome as WriteOutcome | undefined)?.retry;
        if (retry != null) this.failure = new TransactionRetryError(outcome as Retry);
      },
      (error: Error) => (this.failure ??= error),
    );
    return mine;
  }

  private logOf(rows: readonly RowRef[]): LogRow[] {
    const ids = new Set(rows.map(rowId));
    const own = this.writes.log.filter((row) => ids.has(rowId(row.change)));
    return [...rows.flatMap((ref) => this.db.log.of(ref)), ...own].sort((a, b) => a.logId - b.logId);
  }

  /** Since enrolments were read. */
  private hasEnded(table: TableName): boolean {
    return this.enrolments.ended.get(table) !== this.db.enrolments.ended.get(table);
  }

  /** Of the enrolment that is read: earlier ones' are no versions. */
  private versionsOf(rows: readonly RowRef[]): LogRow[] {
    return this.logOf(rows).filter(({ change }) => !isPast(change, this.enrolments.ended));
  }

  private entry(row: LogRow): Entry {
    const own = this.ownRaces.filter((race) => row.seq === null && race.change === row.change.id);
    return entryOf(this.db, row, own, this.appended);
  }
}

const inOrder = (rows: readonly RowRef[]): RowRef[] =>
  distinctRows(rows.map(({ table, key }) => ({ table, key }))).sort((a, b) => (rowId(a) < rowId(b) ? -1 : 1));
