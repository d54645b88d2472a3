import {
  type ChangeOp,
  type ConflictRecord,
  type DeletePolicy,
  type Entry,
  type JsonText,
  type PendingMerge,
  type RegionId,
  type Register,
  type RowState,
  type TableName,
  type TableSpec,
  type Tick,
  type Values,
  type Vector,
  at,
  beforeOf,
  cutForTexts,
  equalVectors,
  foldChanges,
  foldingOf,
  isReady,
  mergePatch,
  onlyColumns,
  parseValues,
  reaches,
  readyBatch,
  recordVerdicts,
  seq,
  stableCut,
  textsOf,
  valuesText,
  withSeq,
  writesColumn,
} from '@meridian/core';
import { type RowWork, arrange, tickBatch } from './batch.js';
import { floorOfRow } from './further-back.js';
import { ContendedRow, isPlain, plainOutcome } from './row-outcome.js';

/*
 * One row in several regions, taken through what the applier does with a row between its locks and its commit: no locks, no
 * database. What a law of the policies is asked of.
 */

const TABLE = 'public.items' as TableName;

/** What a writer knows when it writes. */
export interface Writing {
  /** As it is in front of the writer. */
  readonly row: Values;
  readonly draw: number;
  /** No other write has it. */
  readonly mark: string;
  /** Stamps know nothing of what their writer has seen. */
  readonly wildClocks: boolean;
}

/** The table that the row is in, and what users write to it. */
export interface RowTable {
  readonly registers: readonly Register[];
  readonly counters: readonly string[];
  /** An inserted row, its key aside. */
  readonly start: Values;
  /** Columns and their new values; of a counter the difference. */
  readonly write: (writing: Writing) => Values;
}

export interface Write {
  readonly region: number;
  readonly remove: boolean;
  readonly draw: number;
  readonly clock: number;
}

export interface Replica {
  readonly name: RegionId;
  /** Ticks that it applies at a time, at most. */
  readonly batch: number;
  log: Entry[];
  /** The newest image, as every delete in the log brings it. */
  image: JsonText | null;
  row: Values | null;
  applied: Vector;
  /** Of its own users' writes, by id. */
  readonly records: Map<string, ConflictRecord>;
}

export interface RowOptions {
  readonly table: RowTable;
  readonly delete: DeletePolicy;
  readonly wildClocks: boolean;
  /** By region, how many ticks it applies at a time. */
  readonly batches: Readonly<Record<string, number>>;
}

export class RowReplicas {
  readonly replicas: readonly Replica[];
  readonly ticks: Tick[] = [];
  /** Decisions that somebody's apply had to make. */
  decisions = 0;
  private readonly spec: TableSpec;
  private readonly tables: ReadonlyMap<TableName, TableSpec>;
  private readonly counters: ReadonlySet<string>;
  private ids = 0;

  constructor(private readonly options: RowOptions) {
    const { registers, counters } = options.table;
    this.spec = {
      ...{ name: TABLE, keyColumns: ['id'], registers, counters, delete: options.delete },
      ...{ uniqueKeys: [], foreignKeys: [], renamed: [], epoch: 1 },
      agreed: ['id', ...registers.flatMap((r) => r.columns), ...counters],
    };
    this.tables = new Map([[TABLE, this.spec]]);
    this.counters = new Set(counters);
    this.replicas = Object.entries(options.batches).map(([name, batch]) => newReplica(name as RegionId, batch));
  }

  get origins(): readonly RegionId[] {
    return this.replicas.map((r) => r.name);
  }

  write({ region, remove, draw, clock }: Write): void {
    const { table, wildClocks } = this.options;
    const replica = this.replicas[region]!;
    const id = ++this.ids;
    const op: ChangeOp = replica.row === null ? 'insert' : remove ? 'delete' : 'update';
    const held = replica.row ?? table.start;
    const written = table.write({ row: held, draw, mark: `${replica.name}${id}`, wildClocks });
    const patch = op === 'insert' ? { id: '1', ...this.added(table.start, written) } : written;
    const stamp = wildClocks ? BigInt(clock) : replica.log.reduce((top, e) => (e.stamp > top ? e.stamp : top), 0n) + 1n;
    const change = {
      ...{ origin: replica.name, id, seq: null, deps: null, unseen: null, ranks: null },
      ...{ table: TABLE, key: '["1"]', op, stamp, wall: BigInt((clock * 7) % 10), epoch: 1, actor: '' },
      patch: op === 'delete' ? null : valuesText(patch),
      before: op === 'insert' ? null : valuesText(replica.row ?? {}),
    } as unknown as Entry;
    replica.log.push(change);
    if (op === 'delete') replica.image = change.before;
    replica.row = op === 'delete' ? null : op === 'insert' ? patch : this.added(replica.row!, patch);
  }

  cut(replica: Replica): void {
    const number = seq(at(replica.applied, replica.name) + 1);
    const deps = replica.applied;
    const mine = replica.log.filter((e) => e.seq === null);
    replica.log = replica.log.map((e) => (e.seq === null ? { ...e, seq: number, deps } : e));
    replica.applied = withSeq(replica.applied, replica.name, number);
    const changes = foldChanges(mine, () => foldingOf(this.spec));
    this.ticks.push({ origin: replica.name, seq: number, deps, changes } as unknown as Tick);
  }

  /** What is ready of the others' ticks, as many at a time as this region takes. */
  apply(replica: Replica, arrived: (origin: RegionId, seq: number) => Tick | undefined = this.tickAt): boolean {
    const others = this.origins.filter((o) => o !== replica.name);
    const batch = readyBatch(others, replica.applied, arrived, { ticks: replica.batch, changes: 1e9 });
    if (batch.length > 0) this.take(replica, batch);
    return batch.length > 0;
  }

  /** Ticks that are ready one after another, in one transaction. */
  take(replica: Replica, batch: readonly Tick[]): void {
    const enrolled = { tables: this.tables, ended: new Map(), waiting: new Set<TableName>() };
    const { arriving, floor } = tickBatch(batch, new Map(), enrolled, new Map());
    for (const work of arrange(arriving, this.tables)) {
      const logged = replica.log.map((e) => (e.op === 'delete' ? { ...e, before: replica.image } : e));
      const entries = logged.filter((e) => e.seq === null || e.seq > at(floor, e.origin));
      const state = replica.row === null ? undefined : stateOf(replica.row);
      const outcome = isPlain(work, entries)
        ? plainOutcome(work, state?.place ?? null)
        : settledRow(new ContendedRow(work, neededOf(work, logged, floor), state, imageOf(replica))).outcome();
      this.decisions += outcome.recordings.length;
      for (const record of recordVerdicts((text) => text, replica.name, outcome.recordings, replica.records))
        replica.records.set(record.id, record);
      this.show(replica, outcome.effect);
      const deleted = work.arriving.filter((c) => c.op === 'delete').at(-1);
      if (outcome.image !== null) replica.image = valuesText(outcome.image);
      else if (deleted !== undefined) replica.image = deleted.before;
      for (const { change, origin, seq: first } of outcome.races)
        replica.log = replica.log.map((e) =>
          e.origin === replica.name && e.id === change ? { ...e, unseen: atMost(e.unseen ?? {}, origin, first) } : e,
        );
      replica.log.push(...work.arriving);
    }
    for (const { origin, seq: last } of batch) replica.applied = withSeq(replica.applied, origin, last);
  }

  private cutOf({ log }: Replica, stable: Vector): Vector {
    const texts = [...textsOf(this.spec).keys()].map((column) => log.filter((e) => writesColumn(column, e)));
    return cutForTexts(stable, texts);
  }

  /** Everybody cuts, and gets everything. */
  exchange(): void {
    for (const replica of this.replicas) this.cut(replica);
    for (let moved = true; moved;) {
      moved = false;
      for (const replica of this.replicas) moved = this.apply(replica) || moved;
    }
  }

  /** What nothing concurrent can arrive for any more is dropped. */
  compact(replica: Replica): void {
    const depsOf = (o: RegionId): Vector =>
      o === replica.name ? replica.applied : (this.tickAt(o, at(replica.applied, o))?.deps ?? {});
    const stable = stableCut(this.origins, new Map(this.origins.map((o) => [o, depsOf(o)])));
    const cut = this.cutOf(replica, stable);
    replica.log = replica.log.filter((e) => e.seq === null || e.seq > at(cut, e.origin));
  }

  /**
   * State instead of the stream: the row and the log above the stable cut, in a snapshot that is a tick of its donor; whoever takes
   * it has nothing that the donor has not.
   */
  takeOver(replica: Replica, donor: Replica): void {
    if (replica === donor || replica.log.some((e) => e.seq === null)) return;
    this.cut(donor);
    if (!reaches(donor.applied, replica.applied)) return;
    this.compact(donor);
    const { log, row, image, applied } = donor;
    Object.assign(replica, { log: [...log], row, image, applied });
  }

  /** A region that writes nothing, and gets these ticks in this order, in transactions of these sizes, over and over again. */
  observer(order: readonly Tick[], sizes: readonly number[]): Replica {
    const observer = newReplica('observer' as RegionId, 1);
    for (let [from, i] = [0, 0]; from < order.length; i++) {
      const size = sizes[i % sizes.length]!;
      this.take(observer, order.slice(from, from + size));
      from += size;
    }
    return observer;
  }

  /** Causally legal orders of all ticks, the first of them; with few ticks all there are. */
  orders(limit: number): Tick[][] {
    const found: Tick[][] = [];
    const walk = (order: readonly Tick[], applied: Vector): void => {
      if (found.length >= limit) return;
      if (order.length === this.ticks.length) return void found.push([...order]);
      for (const tick of this.ticks)
        if (isReady(tick, applied)) walk([...order, tick], withSeq(applied, tick.origin, tick.seq));
    };
    walk([], {});
    return found;
  }

  /** Equal vectors, equal rows; of regions that have nothing in no tick. */
  expectEqualWhereVectorsAre(): void {
    const settled = this.replicas.filter((r) => r.log.every((e) => e.seq !== null));
    for (const [i, a] of settled.entries())
      for (const b of settled.slice(i + 1))
        if (equalVectors(a.applied, b.applied)) expect(sorted(b.row)).toEqual(sorted(a.row));
  }

  private show(replica: Replica, effect: ReturnType<typeof plainOutcome>['effect']): void {
    if (effect?.kind === 'delete') replica.row = null;
    if (effect?.kind === 'insert' || effect?.kind === 'replace') replica.row = parseValues(effect.values);
    if (effect?.kind !== 'update') return;
    const adds = effect.counters === 'add' ? this.counters : new Set<string>();
    replica.row = mergePatch(replica.row!, parseValues(effect.values), adds);
  }

  private added(row: Values, patch: Values): Values {
    return mergePatch(row, patch, this.counters);
  }

  private readonly tickAt = (origin: RegionId, number: number): Tick | undefined =>
    this.ticks.find((t) => t.origin === origin && t.seq === number);
}

const newReplica = (name: RegionId, batch: number): Replica => ({
  ...{ name, batch, log: [], image: null, row: null, applied: {}, records: new Map() },
});

const stateOf = (values: Values): RowState => ({
  ref: { table: TABLE, key: '["1"]' as never },
  place: 'table',
  values,
});

const imageOf = ({ log, image }: Replica): Values | null =>
  image !== null && log.some((e) => e.op === 'delete') ? parseValues(image) : null;

/** As far back as the row needs them. */
function neededOf(work: RowWork, logged: readonly Entry[], floor: Vector): readonly Entry[] {
  const entries = logged.filter((e) => e.seq === null || e.seq > at(floor, e.origin));
  const needed = floorOfRow(work, entries, floor);
  return reaches(needed, floor) ? entries : neededOf(work, logged, needed);
}

const atMost = (unseen: Vector, origin: RegionId, first: number): Vector =>
  withSeq(unseen, origin, Math.min(first, at(unseen, origin) || Infinity) as never);

function settledRow(row: ContendedRow): ContendedRow {
  for (const merge of row.pending) row.settle(merge, joined(merge));
  return row;
}

/**
 * In place of a user's function: what it was given, so that a version left out, or another base, shows; of three it makes
 * nothing, so that the fallback decides.
 */
function joined({ columns, base, versions }: PendingMerge) {
  const before = versions.find((e) => e.before !== null);
  expect(base).toEqual(before === undefined ? null : onlyColumns(beforeOf(before), columns));
  if (versions.length > 2) return { kind: 'failed' as const, reason: `${versions.length} versions` };
  const [column] = columns as [string];
  // What was made of others names all it was made of: only its end, or it would grow without end.
  const short = (values: Values | null): string => (values?.[column] ?? 'none').slice(-8);
  const written = versions.map((e) => `${e.origin} ${short(parseValues(e.patch!))}`);
  return {
    kind: 'merged' as const,
    values: Object.fromEntries([[column, `${short(base)}: ${written.join(', ')}`]]),
  };
}

export const sorted = (values: Values | null) => values && Object.entries(values).sort();
