import { at, type Entry, type Race, type RegionId, type Seq, type Tick, type Vector } from '@meridian/core';
import type { MemoryDatabase } from './database.js';
import type { LogRow } from './log.js';

/** A log row as the port shows it: with its tick's deps and what its writer had not seen, deletes with their newest image. */
export function entryOf(db: MemoryDatabase, row: LogRow, ownRaces: readonly Race[], appended: readonly Tick[]): Entry {
  const { change } = row;
  return {
    ...change,
    seq: row.seq,
    before: change.op === 'delete' ? row.image : change.before,
    deps: row.seq === null ? null : depsOf(db, change.origin, row.seq, appended),
    unseen: row.seq === null ? allRaces(db, row, ownRaces) : row.unseen,
  };
}

function depsOf(db: MemoryDatabase, origin: RegionId, seq: Seq, appended: readonly Tick[]): Vector {
  const tick = db.tick(origin, seq) ?? appended.find((t) => t.origin === origin && t.seq === seq);
  if (tick === undefined) throw new Error(`the log holds a change of tick ${origin}/${seq}, whose row is gone`);
  return tick.deps;
}

function allRaces(db: MemoryDatabase, row: LogRow, own: readonly Race[]): Vector | null {
  const unseen = new Map<string, Seq>(db.races.get(row.change.id) ?? []);
  for (const race of own) {
    const known = unseen.get(race.origin);
    if (known === undefined || race.seq < known) unseen.set(race.origin, race.seq);
  }
  return unseen.size === 0 ? null : Object.fromEntries(unseen);
}

/** What the tick ships as a change's `unseen`: of its recorded races those that the tick's deps cover. */
export function shippedUnseen(races: ReadonlyMap<RegionId, Seq> | undefined, deps: Vector): Vector | null {
  const covered = [...(races ?? [])].filter(([origin, seq]) => seq <= at(deps, origin));
  return covered.length === 0 ? null : Object.fromEntries(covered);
}
