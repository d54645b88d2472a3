import { relationOf } from '../causality/relation.js';
import { beforeOf } from '../change/change.js';
import type { ChangeName, HistoryItem, RowVersion } from '../ports/row-log.js';
import { versionOf } from './explain.js';

/** A region that was away for a day comes back with thousands of versions beside each of ours: enough are named to see it. */
const MOST_NAMED = 50;

/**
 * One version among the others of its row (`window`, newest first, in which it is number `index`). `full`: the version with
 * what it wrote, for the window has none of that.
 */
export function historyItem(
  window: readonly RowVersion[],
  index: number,
  full: RowVersion,
  increments: readonly string[],
): HistoryItem {
  const version = window[index]!;
  const { entry, seq, traced, waiting } = full;
  const beside = window.filter((other) => other !== version && relationOf(version, other) === 'concurrent');
  return {
    ...versionOf(entry),
    seq,
    before: entry.op === 'insert' ? null : beforeOf(entry),
    increments,
    traced,
    waiting,
    sees: seesNext(version, window[index + 1]),
    concurrentWith: beside.slice(0, MOST_NAMED).map(changeNameOf),
    concurrentTotal: beside.length,
  };
}

export const changeNameOf = ({ entry }: RowVersion): ChangeName => ({ origin: entry.origin, id: entry.id });

function seesNext(version: RowVersion, older: RowVersion | undefined): boolean | null {
  const relation = older === undefined ? 'unknown' : relationOf(version, older);
  return relation === 'unknown' ? null : relation === 'after';
}
