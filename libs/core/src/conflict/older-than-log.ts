import type { RowStanding } from '../ports/row-log.js';

/** Why no change can be named. */
export function olderThanLog({ all, reach, versions }: Pick<RowStanding, 'all' | 'reach' | 'versions'>): string {
  if (!all) return `none of the row's newest ${versions.length} changes wrote it: it is older than those`;
  if (!reach.dropped) return 'older than the log: nothing wrote it since the table was enrolled';
  const since = reach.since === null ? 'holds nothing' : `reaches back to ${reach.since}`;
  return `older than the log, which ${since}`;
}
