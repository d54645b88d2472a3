import type { Entry } from '../causality/coverage.js';
import { type Rank, patchOf, rankOf, valueIn } from '../change/change.js';
import type { Register, ValueOrder } from './table-policy.js';
import { compareValues } from './value-order.js';

/** What is merged part by part is by stamp in each; a function's versions are in no order of its own. */
type Policy = Register['policy'];

/**
 * Total order among concurrent versions: what the policy goes by, then stamp, then origin, then id. Two versions of one origin
 * are never concurrent, so the id only makes the order total for sorting.
 */
export function compareRank(
  policy: Policy,
  columns: readonly string[],
  a: Entry,
  b: Entry,
  valueOf: ValueOf = (e) => onlyValue(e, columns),
): number {
  const x = highest(policy, a, columns);
  const y = highest(policy, b, columns);
  return (
    preferred(policy, valueOf, { entry: a, rank: x }, { entry: b, rank: y }) ||
    compareByStamp(policy, x, y) ||
    compare(a.origin, b.origin) ||
    compare(x.id, y.id)
  );
}

/** The version that the policy prefers; `versions` is not empty. */
export const winner = (
  policy: Policy,
  columns: readonly string[],
  versions: readonly Entry[],
  valueOf?: ValueOf,
): Entry => versions.reduce((best, e) => (compareRank(policy, columns, e, best, valueOf) > 0 ? e : best));

/** What a policy by values compares: the column's, unless it is said. */
type ValueOf = (version: Entry) => string | null;

interface Ranked {
  readonly entry: Entry;
  readonly rank: Rank;
}

/** By all that is not the stamp. */
function preferred(policy: Policy, valueOf: ValueOf, a: Ranked, b: Ranked): number {
  switch (policy.kind) {
    case 'hlc':
    case 'manual':
    case 'register':
    case 'first-write':
    case 'set':
    case 'grow-set':
    case 'map':
    case 'text':
    case 'merge':
      return 0;
    case 'lww':
      return compare(a.rank.wall, b.rank.wall);
    case 'region-priority':
      return compare(placeOf(policy.regions, b.entry), placeOf(policy.regions, a.entry));
    case 'max':
      return compareValues(policy.order, valueOf(a.entry), valueOf(b.entry));
    case 'min':
      return compareLeast(policy.order, valueOf(a.entry), valueOf(b.entry));
    case 'flag': {
      const order = policy.wins === 'enable' ? compareValues : compareLeast;
      return order('boolean', valueOf(a.entry), valueOf(b.entry));
    }
  }
}

const placeOf = (regions: readonly string[], { origin }: Entry): number => {
  const place = regions.indexOf(origin);
  return place < 0 ? regions.length : place;
};

/** Of one column: a policy by value has no groups. */
const onlyValue = (e: Entry, [column]: readonly string[]): string | null =>
  column === undefined ? null : valueIn(patchOf(e), column);

/** NULL, which is less than every value, does not win as the least one either. */
const compareLeast = (order: ValueOrder, a: string | null, b: string | null): number =>
  a === null || b === null ? compareValues(order, a, b) : -compareValues(order, a, b);

const compareByStamp = (policy: Policy, x: Rank, y: Rank): number =>
  policy.kind === 'first-write' ? compare(y.stamp, x.stamp) : compare(x.stamp, y.stamp);

/** A group is one register: it was written when the last of its columns was. */
function highest(policy: Policy, entry: Entry, columns: readonly string[]): Rank {
  const ranks = columns.length === 0 ? [rankOf(entry)] : columns.map((column) => rankOf(entry, column));
  return ranks.reduce((best, r) => ((compareTimes(policy, r, best) || compare(r.id, best.id)) > 0 ? r : best));
}

const compareTimes = (policy: Policy, x: Rank, y: Rank): number =>
  (policy.kind === 'lww' ? compare(x.wall, y.wall) : 0) || compare(x.stamp, y.stamp);

const compare = (a: bigint | number | string, b: bigint | number | string): number => (a < b ? -1 : a > b ? 1 : 0);
