import type { Change } from '../change/change.js';
import { at, type Vector } from '../vector.js';

/** A change as a region knows it: with the deps of its tick. Null deps: a local change that is in no tick yet. */
export interface Entry extends Change {
  readonly deps: Vector | null;
}

/**
 * Had the writer of `later` seen `earlier` in its database? (design 2, "covered")
 *
 * `earlier` is covered when both have one origin and it was written before, or its tick is within the deps of `later`'s
 * tick; unless `later.unseen` excepts it. A local change in no tick yet covers whatever was applied here, except the
 * recorded races, which its `unseen` carries: so a race must be recorded before this is asked.
 */
export function covers(later: Entry, earlier: Entry): boolean {
  if (later.origin === earlier.origin) return writtenBefore(earlier, later);
  if (earlier.seq === null) return false;
  if (excepted(later.unseen, earlier)) return false;
  return later.deps === null || earlier.seq <= at(later.deps, earlier.origin);
}

/** Both of one origin, whose log order decides. */
function writtenBefore(a: Change, b: Change): boolean {
  if (a.seq === b.seq) return a.id < b.id;
  if (a.seq === null) return false;
  return b.seq === null || a.seq < b.seq;
}

function excepted(unseen: Vector | null, change: Change): boolean {
  return (
    unseen !== null &&
    change.seq !== null &&
    Object.hasOwn(unseen, change.origin) &&
    change.seq >= unseen[change.origin]!
  );
}

export const concurrent = (a: Entry, b: Entry): boolean => !sameChange(a, b) && !covers(a, b) && !covers(b, a);

export const sameChange = (a: Change, b: Change): boolean => a.origin === b.origin && a.id === b.id;

/** Those that no other of them covers; one: no conflict. */
export const maximal = (entries: readonly Entry[]): Entry[] =>
  entries.filter((e) => !entries.some((f) => f !== e && covers(f, e)));
