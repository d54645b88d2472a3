import { type Entry, type Vector, covers, loweredBySeen, mayReturn, patchOf } from '@meridian/core';
import type { RowWork } from './batch.js';

/**
 * How far back it shows what had lost in front of an arriving change's writer, and came back here (core's `pastLosers`): one that came
 * back is unknown to who brought it back, and one that it had lost to is unknown to itself. No more than `floor`.
 */
export function floorOfPast({ spec, arriving }: RowWork, entries: readonly Entry[], floor: Vector): Vector {
  const policies = [spec, ...(spec.earlier ?? [])].flatMap(({ registers }) => registers);
  const columns = new Set(policies.filter(({ policy }) => mayReturn(policy)).flatMap((r) => r.columns));
  if (columns.size === 0) return floor;
  const writers = [...entries, ...arriving].filter((e) => Object.keys(patchOf(e)).some((c) => columns.has(c)));
  return arriving
    .filter((change) => writers.includes(change))
    .flatMap((change) => membersFor(change, writers))
    .reduce(loweredBySeen, floor);
}

function membersFor(change: Entry, writers: readonly Entry[]): readonly Entry[] {
  const beside = writers.filter((e) => e !== change && !covers(change, e) && !covers(e, change));
  return [...beside, ...writers.filter((e) => covers(change, e) && beside.some((b) => !covers(b, e)))];
}
