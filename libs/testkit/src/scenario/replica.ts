import {
  type Change,
  type ChangeOp,
  type ConflictRecord,
  type Digest,
  type Entry,
  type JsonText,
  type RegionId,
  type Resolution,
  type RowKey,
  type Seq,
  type TableSpec,
  type Values,
  type Vector,
  at,
  changeId,
  covers,
  decideText,
  foldChanges,
  foldingOf,
  mergePatch,
  patchOf,
  recordVerdicts,
  resolve,
  seq,
  stamp,
  textMembers,
  textsOf,
  touchedRecordIds,
  valuesText,
  withSeq,
  writesColumn,
} from '@meridian/core';

/** A tick as a scenario hands it over. */
export interface ScenarioTick {
  readonly origin: RegionId;
  readonly seq: Seq;
  readonly deps: Vector;
  readonly changes: readonly Change[];
}

const KEY = '["1"]' as RowKey;

/** One row in one region, decided by the core and nothing else: no locks, no database, changes applied one by one. */
export class Replica {
  readonly ticks: ScenarioTick[] = [];
  readonly records = new Map<string, ConflictRecord>();
  private log: Entry[] = [];
  private exists = false;
  /** The row; of a deleted one its image. */
  private values: Values = {};
  private applied: Vector = {};

  constructor(
    readonly region: RegionId,
    private readonly spec: TableSpec,
    private readonly digest: Digest,
  ) {}

  get row(): Values | null {
    return this.exists ? this.values : null;
  }

  write(op: ChangeOp, patch: Values, time: number): void {
    if ((op === 'insert') === this.exists)
      throw new Error(`${this.region} cannot ${op}: the row is ${this.exists ? '' : 'not '}there`);
    const change: Entry = {
      origin: this.region,
      id: changeId(time),
      seq: null,
      deps: null,
      unseen: null,
      ranks: null,
      table: this.spec.name,
      key: KEY,
      op,
      stamp: stamp(BigInt(time) << 16n),
      wall: BigInt(time) * 1000n,
      epoch: this.spec.epoch,
      actor: `somebody in ${this.region}`,
      patch: op === 'delete' ? null : valuesText(patch),
      before: op === 'insert' ? null : this.valuesBefore(op, patch),
    };
    this.log.push(change);
    this.follow(change);
  }

  /** Nothing to ship: no tick. */
  cut(): void {
    const mine = this.log.filter((e) => e.seq === null);
    if (mine.length === 0) return;
    const number = seq(at(this.applied, this.region) + 1);
    const deps = this.applied;
    this.log = this.log.map((e) => (e.seq === null ? { ...e, seq: number, deps } : e));
    this.applied = withSeq(this.applied, this.region, number);
    const changes = foldChanges(mine, () => foldingOf(this.spec));
    this.ticks.push({ origin: this.region, seq: number, deps, changes });
  }

  /** False: not ready, or here already. */
  receive(tick: ScenarioTick): boolean {
    const ready = Object.keys(tick.deps).every((o) => at(this.applied, o as RegionId) >= at(tick.deps, o as RegionId));
    if (!ready || at(this.applied, tick.origin) !== tick.seq - 1) return false;
    for (const change of tick.changes) this.apply({ ...change, seq: tick.seq, deps: tick.deps });
    this.applied = withSeq(this.applied, tick.origin, tick.seq);
    return true;
  }

  private apply(change: Entry): void {
    this.log = this.log.map((e) => (e.deps === null && !covers(change, e) ? raced(e, change) : e));
    const uncovered = this.log.filter((e) => !covers(change, e));
    if (uncovered.length === 0) this.follow(change);
    else this.decide(change, uncovered);
    this.log.push(change);
  }

  private decide(change: Entry, uncovered: readonly Entry[]): void {
    const present = Object.keys(this.values).length === 0 ? null : this.values;
    const resolution = this.withTexts(resolve(this.spec, change, uncovered, present), change, uncovered);
    const recordings = [{ ref: change, resolution }];
    const ids = touchedRecordIds(this.digest, this.region, recordings);
    const existing = new Map([...this.records].filter(([id]) => ids.includes(id)));
    for (const record of recordVerdicts(this.digest, this.region, recordings, existing))
      this.records.set(record.id, record);
    this.exists = resolution.exists;
    this.values = resolution.values;
  }

  private withTexts(resolution: Resolution, change: Entry, uncovered: readonly Entry[]): Resolution {
    const texts = [...textsOf(this.spec)].flatMap(([column, policy]) => {
      if (!writesColumn(column, change) || !uncovered.some((e) => writesColumn(column, e))) return [];
      const writers = this.log.filter((e) => writesColumn(column, e));
      return [decideText(column, policy, textMembers([change], writers))];
    });
    const merged = Object.fromEntries<string | null>(texts.map((t) => [t.verdict.columns[0]!, t.value]));
    return {
      ...resolution,
      values: { ...resolution.values, ...merged },
      verdicts: [...texts.map((t) => t.verdict), ...resolution.verdicts],
    };
  }

  private follow(change: Entry): void {
    this.exists = change.op !== 'delete';
    if (change.op === 'delete') return;
    const insert = change.op === 'insert';
    const counters = new Set(insert ? [] : this.spec.counters);
    this.values = mergePatch(insert ? {} : this.values, patchOf(change), counters);
  }

  private valuesBefore(op: ChangeOp, patch: Values): JsonText {
    if (op === 'delete') return valuesText(this.values);
    return valuesText(Object.fromEntries(Object.keys(patch).map((c) => [c, this.values[c] ?? null])));
  }
}

/** The race of design 5: a local change in no tick yet has not seen what arrives now. */
const raced = (local: Entry, change: Entry): Entry =>
  local.unseen !== null && Object.hasOwn(local.unseen, change.origin)
    ? local
    : { ...local, unseen: withSeq(local.unseen ?? {}, change.origin, change.seq!) };
