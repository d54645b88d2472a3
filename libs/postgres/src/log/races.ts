import { type Change, type ChangeId, type RegionId, type Seq, type Vector, at } from '@meridian/core';
import type { Session } from '../connection/session.js';

/** Local change → origin → the first seq that its writer had not seen, though this region had applied it (design 5). */
export type Races = ReadonlyMap<ChangeId, Vector>;

export const NO_RACES: Races = new Map();

/** Of a million changes, too, for which a function cannot be called with their ids as arguments. */
export function racesOf(session: Session, logged: readonly { readonly logId: number }[]): Promise<Races> {
  if (logged.length === 0) return Promise.resolve(NO_RACES);
  const [from, to] = logged.reduce(
    ([low, high], { logId }) => [Math.min(low, logId), Math.max(high, logId)],
    [Infinity, -Infinity],
  );
  return racesBetween(session, from, to);
}

/** Of changes with ids in this range: one probe of an index that is nearly always empty. */
export async function racesBetween(session: Session, from: number, to: number): Promise<Races> {
  const { rows } = await session.query(
    'SELECT change_id, origin, seq FROM meridian.race WHERE change_id BETWEEN $1 AND $2',
    [from, to],
    'races_between',
  );
  if (rows.length === 0) return NO_RACES;
  const races = new Map<ChangeId, Record<string, Seq>>();
  for (const [id, origin, seq] of rows) {
    const change = Number(id) as ChangeId;
    races.set(change, { ...races.get(change), [origin!]: Number(seq) as Seq });
  }
  return races;
}

/**
 * The `unseen` that a tick ships: only what its deps cover, for the rest is said by the deps. So a race recorded after the cut
 * (apply committed between the snapshot and the tick's row) changes nothing when the tick is made again (I5).
 */
export function withUnseen(change: Change, races: Races, deps: Vector): Change {
  const unseen = Object.entries(races.get(change.id) ?? {}).filter(
    ([origin, seq]) => seq <= at(deps, origin as RegionId),
  );
  return unseen.length === 0 ? change : { ...change, unseen: Object.fromEntries(unseen) };
}
