import {
  type Change,
  type ChangeId,
  type Claim,
  type Enrolments,
  GENESIS_DIGEST,
  type JsonText,
  type Merge,
  nextStamp,
  type ParkReason,
  type Race,
  type RegionId,
  type RowKey,
  type RowRef,
  rowId,
  rowKeyOf,
  type Seq,
  seq,
  type Stamp,
  stamp,
  type TableName,
  type TableSpec,
  type Tick,
  type Values,
  type Vector,
  stampOfMillis,
} from '@meridian/core';
import type { Scheduler } from '../scheduler.js';
import { aboveBound } from './above-bound.js';
import { type Counted, type CounterRanges, NO_EXCESS } from './counter-range.js';
import { Locks } from './locks.js';
import { Log, type LogRow } from './log.js';
import { EMPTY_SNAPSHOT, type Snapshot, visibleIn, type Xid } from './snapshot.js';

/** A clock further ahead than this is reported, and not followed. */
const FLOOR_BOUND_MS = 60_000;

export interface StoredRow extends Counted {
  /** Which insert made it: a row deleted and inserted anew is another row to those who waited for the old one. */
  readonly incarnation: number;
}

export interface ParkedRow {
  readonly ref: RowRef;
  readonly values: Values;
  readonly claims: ReadonlyMap<string, Claim | null>;
  readonly because: ParkReason;
  /** Of the statement that parked it: a local insert of the key that this does not see has taken the row's place since. */
  readonly since: Snapshot;
}

/** A row of the vector: the last tick of an origin that was applied (or cut) here. */
export interface AppliedTick {
  readonly seq: Seq;
  readonly digest: string;
  readonly deps: Vector;
}

/** Of a table's policy (null: not enrolled), and the last one of its ended enrolments. */
export interface Epochs {
  readonly present: number | null;
  readonly ended: number;
}

/** What a commit changed, for those who check. */
export interface Commit {
  readonly kind: 'local' | 'apply' | 'cut';
  readonly rows: readonly RowRef[];
  readonly changes: readonly Change[];
  readonly ticks: readonly Tick[];
}

/** The region's wall clock in microseconds since 1970: skewed, and it may jump. */
export type WallClock = () => number;

/**
 * One region's PostgreSQL as far as replication can tell the difference: read committed statements, row locks, unique
 * indexes that wait for uncommitted claims, sequences outside transactions, and commits that become visible in another
 * order than their transaction numbers. What is here is committed; transactions keep their writes to themselves.
 */
export class MemoryDatabase {
  readonly specs: Map<TableName, TableSpec>;
  readonly tables = new Map<TableName, Map<RowKey, StoredRow>>();
  /** Of tables with a bounded counter, how far the rows that everybody started from were above its bound. */
  readonly boundedBases = new Map<TableName, ReadonlyMap<RowKey, number>>();
  readonly parked = new Map<string, ParkedRow>();
  /** Claims of rows that a parked row contends with, kept when the log forgets them: rowId → unique key → claim. */
  readonly claims = new Map<string, Map<string, Claim>>();
  readonly log = new Log();
  readonly applied = new Map<RegionId, AppliedTick>();
  readonly ticks = new Map<string, Tick>();
  readonly races = new Map<ChangeId, Map<RegionId, Seq>>();
  /** Table, columns and policy → merges that lost nothing. */
  readonly merges = new Map<string, number>();
  /** Log rows that their table cannot take; tables that refuse now. */
  readonly waiting = new Set<LogRow>();
  readonly refusing = new Set<TableName>();
  /** Enrolled are all tables, at epoch 1, until somebody says otherwise. */
  enrolments: Enrolments;
  readonly locks = new Locks();
  readonly running = new Set<{ readonly xid: Xid | null; readonly privateLog: readonly LogRow[] }>();
  /** Snapshot of the last tick cut here. */
  lastSnapshot: Snapshot = EMPTY_SNAPSHOT;
  lastStamp: Stamp = stamp(0n);
  highestApplied: Stamp = stamp(0n);
  /** The last own seq whose changes the log may have dropped. */
  forgotten: Seq = seq(0);
  private readonly observers: ((commit: Commit) => void)[] = [];
  private lastXid: Xid = 0;
  private lastLogId = 0;
  private lastIncarnation = 0;

  constructor(
    readonly region: RegionId,
    members: readonly RegionId[],
    specs: ReadonlyMap<TableName, TableSpec>,
    readonly scheduler: Scheduler,
    readonly wall: WallClock,
    readonly partition: number,
    private readonly ranges: CounterRanges,
  ) {
    this.specs = new Map(specs);
    this.enrolments = { tables: specs, ended: new Map() };
    for (const name of specs.keys()) this.tables.set(name, new Map());
    for (const member of members) this.applied.set(member, { seq: seq(0), digest: GENESIS_DIGEST, deps: {} });
  }

  observe(observer: (commit: Commit) => void): void {
    this.observers.push(observer);
  }

  announce(commit: Commit): void {
    for (const observer of this.observers) observer(commit);
  }

  spec(table: TableName): TableSpec {
    const spec = this.specs.get(table);
    if (spec === undefined) throw new Error(`${this.region} has no table ${table}`);
    return spec;
  }

  rangesOf(table: TableName): ReadonlyMap<string, number> | undefined {
    return this.ranges.get(table);
  }

  epochsOf(table: TableName): Epochs {
    const { tables, ended } = this.enrolments;
    return { present: tables.get(table)?.epoch ?? null, ended: ended.get(table) ?? 0 };
  }

  /** Its policy from here on; under the next epoch. */
  setPolicy(spec: TableSpec): void {
    this.specs.set(spec.name, spec);
    this.setEpochs(spec.name, { ...this.epochsOf(spec.name), present: spec.epoch });
  }

  setEpochs(table: TableName, { present, ended }: Epochs): void {
    const tables = new Map(this.enrolments.tables);
    if (present === null) tables.delete(table);
    else tables.set(table, { ...this.spec(table), epoch: present });
    this.enrolments = { tables, ended: new Map(this.enrolments.ended).set(table, ended) };
  }

  rows(table: TableName): Map<RowKey, StoredRow> {
    this.spec(table);
    return this.tables.get(table)!;
  }

  row(ref: RowRef): StoredRow | null {
    return this.rows(ref.table).get(ref.key) ?? null;
  }

  put(ref: RowRef, row: StoredRow | null): void {
    if (row === null) this.rows(ref.table).delete(ref.key);
    else this.rows(ref.table).set(ref.key, row);
  }

  vector(): Vector {
    return Object.fromEntries([...this.applied].map(([origin, last]) => [origin, last.seq]));
  }

  tick(origin: RegionId, at: Seq): Tick | undefined {
    return this.ticks.get(`${origin}/${at}`);
  }

  keepTick(tick: Tick): void {
    this.ticks.set(`${tick.origin}/${tick.seq}`, tick);
  }

  snapshot(): Snapshot {
    const inProgress = new Set<Xid>();
    for (const other of this.running) if (other.xid !== null) inProgress.add(other.xid);
    return { xmax: this.lastXid + 1, inProgress };
  }

  nextXid(): Xid {
    return ++this.lastXid;
  }

  nextLogId(): number {
    return ++this.lastLogId;
  }

  nextIncarnation(): number {
    return ++this.lastIncarnation;
  }

  waitingOf(table: TableName): LogRow[] {
    return [...this.waiting].filter((row) => row.change.table === table);
  }

  /** From sequences, so not undone by a rollback; bounded, so that a clock far ahead does not drag ours along. */
  raiseStampFloor(tick: Tick): void {
    const bound = stampOfMillis(Math.floor(this.wall() / 1000) + FLOOR_BOUND_MS);
    const highest = tick.changes.reduce((max, change) => (change.stamp > max ? change.stamp : max), tick.stamp);
    const raised = highest < bound ? highest : bound;
    if (raised > this.highestApplied) this.highestApplied = raised;
  }

  /** Once per statement, from sequences: not undone by a rollback. */
  nextStamp(): Stamp {
    this.lastStamp = nextStamp(Math.floor(this.wall() / 1000), this.lastStamp, this.highestApplied);
    return this.lastStamp;
  }

  keepClaim(ref: RowRef, key: string, claim: Claim): void {
    const claims = this.claims.get(rowId(ref));
    if (claims === undefined) this.claims.set(rowId(ref), new Map([[key, claim]]));
    else claims.set(key, claim);
  }

  /** The first change not seen, per origin. */
  countMerges(merges: readonly Merge[]): void {
    for (const { table, columns, policy } of merges) {
      const of = `${table} ${columns.join()} ${policy}`;
      this.merges.set(of, (this.merges.get(of) ?? 0) + 1);
    }
  }

  recordRace({ change, origin, seq: first }: Race): void {
    const races = this.races.get(change) ?? new Map<RegionId, Seq>();
    const known = races.get(origin);
    if (known === undefined || first < known) races.set(origin, first);
    this.races.set(change, races);
  }

  /** The rows that everybody starts from, in no region's log. */
  seed(table: TableName, rows: readonly Values[]): void {
    for (const values of rows)
      this.put(
        { table, key: keyOf(this.spec(table), values) },
        { values, excess: NO_EXCESS, incarnation: this.nextIncarnation() },
      );
    for (const bounded of this.spec(table).bounded ?? [])
      this.boundedBases.set(table, aboveBound(bounded, this.rows(table)));
  }

  parkedOf(ref: RowRef): ParkedRow | null {
    const parked = this.parked.get(rowId(ref));
    return parked === undefined || this.isOvertaken(parked) ? null : parked;
  }

  allParked(): ParkedRow[] {
    return [...this.parked.values()].filter((parked) => !this.isOvertaken(parked));
  }

  /**
   * A local insert covers the parked row of its key (design 6), and does not know of it: capture cannot remove an entry that
   * its snapshot does not see. So the entry tells from which inserts it knows.
   */
  private isOvertaken({ ref, since }: ParkedRow): boolean {
    return this.log
      .of(ref)
      .some(({ change, xid }) => change.origin === this.region && change.op === 'insert' && !visibleIn(since, xid));
  }

  overtaken(): RowRef[] {
    return [...this.parked.values()].filter((parked) => this.isOvertaken(parked)).map(({ ref }) => ref);
  }

  /** Before the log forgets the inserts that tell. */
  forgetOvertaken(): void {
    for (const ref of this.overtaken()) this.parked.delete(rowId(ref));
  }
}

export function keyOf(spec: TableSpec, values: Values): RowKey {
  const key = rowKeyOf(spec.keyColumns, values);
  if (key === null) throw new Error(`a row of ${spec.name} without its key: ${JSON.stringify(values)}`);
  return key;
}

export const textOf = (values: Values): JsonText => JSON.stringify(values) as JsonText;
