import type { RowVersion } from '../ports/row-log.js';
import { covers } from './coverage.js';

/** How one change of a row stands to another: it had seen it, was seen by it, neither, or nobody knows any more. */
export type Relation = 'after' | 'before' | 'concurrent' | 'unknown';

/** What a change whose tick is forgotten had seen of other regions is forgotten too; that others had seen it may still be known. */
export function relationOf(a: RowVersion, b: RowVersion): Relation {
  if (covers(a.entry, b.entry)) return 'after';
  if (covers(b.entry, a.entry)) return 'before';
  return a.traced && b.traced ? 'concurrent' : 'unknown';
}
