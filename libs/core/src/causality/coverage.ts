import type { Change } from '../change/change.js';
import type { RegionId } from '../ids.js';
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
export function covers(later: Entry, earlier: Placed): boolean {
  if (later.origin === earlier.origin) return writtenBefore(earlier, later);
  if (earlier.seq === null) return false;
  if (excepted(later.unseen, earlier)) return false;
  return later.deps === null || earlier.seq <= at(later.deps, earlier.origin);
}

/** A change, as far as its place among others goes. */
type Placed = Pick<Change, 'origin' | 'seq' | 'id'>;

const writtenBefore = (a: Placed, b: Placed): boolean => compareWritten(a, b) < 0;

/** Of one origin, whose log order decides: by tick, those in none yet last. */
export function compareWritten(a: Placed, b: Placed): number {
  if (a.seq === b.seq) return a.id - b.id;
  if (a.seq === null) return 1;
  return b.seq === null ? -1 : a.seq - b.seq;
}

function excepted(unseen: Vector | null, change: Placed): boolean {
  return (
    unseen !== null &&
    change.seq !== null &&
    Object.hasOwn(unseen, change.origin) &&
    change.seq >= unseen[change.origin]!
  );
}

export const concurrent = (a: Entry, b: Entry): boolean => !sameChange(a, b) && !covers(a, b) && !covers(b, a);

export const sameChange = (a: Change, b: Change): boolean => a.origin === b.origin && a.id === b.id;

/** Those that no other of them covers; one: no conflict. Of each origin only its last can be. */
export function maximal(entries: readonly Entry[]): Entry[] {
  const last = new Map<RegionId, Entry>();
  for (const e of entries) {
    const known = last.get(e.origin);
    if (known === undefined || covers(e, known)) last.set(e.origin, e);
  }
  return [...last.values()].filter((e) => !entries.some((f) => f !== e && covers(f, e)));
}
