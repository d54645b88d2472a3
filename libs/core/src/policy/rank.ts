import type { Entry } from '../causality/coverage.js';
import { type Rank, rankOf } from '../change/change.js';
import type { RegisterPolicy } from './table-policy.js';

/**
 * Total order among concurrent versions: stamp (for lww the wall first), then origin, then id. Two versions of one origin
 * are never concurrent, so the id only makes the order total for sorting.
 */
export function compareRank(policy: RegisterPolicy, columns: readonly string[], a: Entry, b: Entry): number {
  const x = highest(policy, a, columns);
  const y = highest(policy, b, columns);
  return compareRanks(policy, x, y) || compare(a.origin, b.origin) || compare(x.id, y.id);
}

/** The version that the policy prefers; `versions` is not empty. */
export const winner = (policy: RegisterPolicy, columns: readonly string[], versions: readonly Entry[]): Entry =>
  versions.reduce((best, e) => (compareRank(policy, columns, e, best) > 0 ? e : best));

const compareRanks = (policy: RegisterPolicy, x: Rank, y: Rank): number =>
  (policy.kind === 'lww' ? compare(x.wall, y.wall) : 0) || compare(x.stamp, y.stamp);

/** A group is one register: it was written when the last of its columns was. */
function highest(policy: RegisterPolicy, entry: Entry, columns: readonly string[]): Rank {
  const ranks = columns.length === 0 ? [rankOf(entry)] : columns.map((column) => rankOf(entry, column));
  return ranks.reduce((best, r) => ((compareRanks(policy, r, best) || compare(r.id, best.id)) > 0 ? r : best));
}

const compare = (a: bigint | number | string, b: bigint | number | string): number => (a < b ? -1 : a > b ? 1 : 0);
