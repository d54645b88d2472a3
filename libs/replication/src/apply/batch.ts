import {
  type ApplyTransaction,
  type Change,
  type Enrolments,
  type Entry,
  type RegionId,
  type RowRef,
  type TableName,
  type TableSpec,
  type Tick,
  type Vector,
  type WriteOutcome,
  at,
  changeRef,
  groupByRow,
  inPresentColumns,
  minVector,
  origins,
  seq,
  standingOf,
  withSeq,
} from '@meridian/core';

/** As read just before: at the first attempt by whoever chose the ticks, and anew before every other. */
export interface Enrolled extends Enrolments {
  /** Tables with waiting changes. */
  readonly waiting: ReadonlySet<TableName>;
}

/** What one apply transaction brings: changes to be decided and written, and what else commits with them. */
export interface Batch {
  /** In the order of application, causally. */
  readonly arriving: readonly Entry[];
  /** What every one of them covers; log entries at or below it are covered by all of them. */
  readonly floor: Vector;
  /** Changes (by `changeRef`) that the log has and the tables have not: nothing is decided against them. */
  readonly notApplied: ReadonlySet<string>;
  /** Of ended enrolments: they become part of the log and of nothing else. */
  readonly passed: readonly Change[];
  /** Step 5: what else becomes part of the log. */
  log(tx: ApplyTransaction): readonly Promise<void>[];
  advance(tx: ApplyTransaction): Promise<WriteOutcome>;
}

/**
 * Ticks, each whole (I4), but for the changes of tables that cannot take them, which are logged and wait; and for those of ended
 * enrolments, which are logged and let pass.
 */
export function tickBatch(
  ticks: readonly Tick[],
  positions: Positions,
  { waiting, ...enrolments }: Enrolled,
  refused: ReadonlyMap<TableName, string>,
): Batch {
  const all = ticks.flatMap((t) => t.changes.map((c): Entry => ({ ...c, seq: t.seq, deps: t.deps })));
  const entries = enrolments.ended.size === 0 ? all : all.filter((e) => standingOf(e, enrolments) !== 'past');
  const isHeldUp = (e: Entry): boolean => waiting.has(e.table) || refused.has(e.table);
  const later = entries.filter(isHeldUp);
  return {
    arriving: later.length === 0 ? entries : entries.filter((e) => !isHeldUp(e)),
    floor: floorOf(ticks),
    notApplied: new Set(later.map(changeRef)),
    passed: entries === all ? [] : all.filter((e) => standingOf(e, enrolments) === 'past'),
    log: (tx) => [tx.append(ticks), ...(later.length === 0 ? [] : [tx.keepWaiting(later, refused)])],
    advance: (tx) => tx.advance(ticks, positions),
  };
}

/** A table's waiting changes, all of them: the log has them already, and the vector has passed them. */
export const resumedBatch = (table: TableName, waiting: readonly Entry[]): Batch => ({
  arriving: waiting,
  floor: minVector(waiting.map((e) => (e.unseen === null ? e.deps! : below(e.deps!, e.unseen)))),
  notApplied: new Set(waiting.map(changeRef)),
  passed: [],
  log: (tx) => [tx.resume(table)],
  advance: () => Promise.resolve({ retry: null }),
});

/** Nothing but the reason why they wait, which may be another one by now. */
export const stillWaitingBatch = (table: TableName, why: string): Batch => ({
  arriving: [],
  floor: {},
  notApplied: new Set(),
  passed: [],
  log: (tx) => [tx.keepWaiting([], new Map([[table, why]]))],
  advance: () => Promise.resolve({ retry: null }),
});

/** Where the transport goes on after the last of the ticks, by origin. */
export type Positions = ReadonlyMap<RegionId, string>;

/** What a batch brings for one row, in the order of application. */
export interface RowWork {
  readonly ref: RowRef;
  readonly spec: TableSpec;
  readonly arriving: readonly Entry[];
}

export const arrange = (arriving: readonly Entry[], tables: ReadonlyMap<TableName, TableSpec>): RowWork[] =>
  [...groupByRow(arriving).values()].map((entries) => {
    const spec = specOf(entries[0]!.table, tables);
    return {
      ref: { table: entries[0]!.table, key: entries[0]!.key },
      spec,
      arriving: entries.map((entry) => inPresentColumns(entry, spec)),
    };
  });

function specOf(table: TableName, tables: ReadonlyMap<TableName, TableSpec>): TableSpec {
  const spec = tables.get(table);
  if (spec === undefined)
    throw new Error(`${table} is not enrolled here: the batch should have waited for its enrolment`);
  return spec;
}

/** A table (or a later policy of it) that a tick names and this region does not know yet: the tick waits for the configuration. */
export function unknownTable(tick: Tick, enrolments: Enrolments): TableName | undefined {
  return tick.changes.find((c) => standingOf(c, enrolments) === 'unknown')?.table;
}

/**
 * What every change of the batch covers; log entries at or below it are covered by all of them. What a change carries as
 * `unseen` is within its tick's deps and yet not covered: left out here, no change would ever be decided against it.
 */
const floorOf = (ticks: readonly Tick[]): Vector =>
  minVector(
    ticks.flatMap((tick) => [
      tick.deps,
      ...tick.changes.flatMap(({ unseen }) => (unseen === null ? [] : [below(tick.deps, unseen)])),
    ]),
  );

const below = (deps: Vector, unseen: Vector): Vector =>
  origins(unseen).reduce(
    (floor, o) => (at(floor, o) < at(unseen, o) ? floor : withSeq(floor, o, seq(at(unseen, o) - 1))),
    deps,
  );
