import {
  type Entry,
  type RowRef,
  type TableName,
  type TableSpec,
  type Tick,
  type Vector,
  at,
  minVector,
  origins,
  rowId,
  seq,
  withSeq,
} from '@meridian/core';

/** What a batch of ticks brings for one row, in the order of application. */
export interface RowWork {
  readonly ref: RowRef;
  readonly spec: TableSpec;
  readonly arriving: readonly Entry[];
}

/** The rows that a batch touches. Its ticks are causally ordered, so one row's changes are in the order of application. */
export function arrange(ticks: readonly Tick[], tables: ReadonlyMap<TableName, TableSpec>): RowWork[] {
  const rows = new Map<string, { ref: RowRef; spec: TableSpec; arriving: Entry[] }>();
  for (const tick of ticks)
    for (const change of tick.changes) {
      const id = rowId(change);
      const row = rows.get(id) ?? {
        ref: { table: change.table, key: change.key },
        spec: specOf(change.table, tables),
        arriving: [],
      };
      row.arriving.push({ ...change, seq: tick.seq, deps: tick.deps });
      rows.set(id, row);
    }
  return [...rows.values()];
}

function specOf(table: TableName, tables: ReadonlyMap<TableName, TableSpec>): TableSpec {
  const spec = tables.get(table);
  if (spec === undefined)
    throw new Error(`${table} is not enrolled here: the batch should have waited for its enrolment`);
  return spec;
}

/** A table (or a later policy of it) that a tick names and this region does not know yet: the tick waits for the configuration. */
export function unknownTable(tick: Tick, tables: ReadonlyMap<TableName, TableSpec>): TableName | undefined {
  return tick.changes.find((c) => (tables.get(c.table)?.epoch ?? -1) < c.epoch)?.table;
}

/**
 * What every change of the batch covers; log entries at or below it are covered by all of them. What a change carries as
 * `unseen` is within its tick's deps and yet not covered: left out here, no change would ever be decided against it.
 */
export const floorOf = (ticks: readonly Tick[]): Vector =>
  minVector(
    ticks.flatMap((tick) => [
      tick.deps,
      ...tick.changes.flatMap(({ unseen }) => (unseen === null ? [] : [below(tick.deps, unseen)])),
    ]),
  );

const below = (deps: Vector, unseen: Vector): Vector =>
  origins(unseen).reduce((floor, o) => (at(floor, o) < at(unseen, o) ? floor : withSeq(floor, o, seq(at(unseen, o) - 1))), deps);

export function groupByRow<T extends RowRef>(entries: readonly T[]): ReadonlyMap<string, T[]> {
  const rows = new Map<string, T[]>();
  for (const entry of entries) {
    const id = rowId(entry);
    const row = rows.get(id);
    if (row === undefined) rows.set(id, [entry]);
    else row.push(entry);
  }
  return rows;
}
