import { type Entry, type RowRef, type Vector, groupByRow, minVector, reaches, rowId } from '@meridian/core';
import type { RowWork } from './batch.js';
import { floorOfPast } from './past-entries.js';
import { floorOfTexts } from './text-entries.js';

/**
 * The entries of contended rows as far back as they are needed: what one of those had not seen among which an arriving change is
 * decided may be below the batch's floor. Looked for again until all of it is there; nearly always one look is enough.
 */
export async function entriesFurtherBack(
  work: readonly RowWork[],
  found: ReadonlyMap<string, readonly Entry[]>,
  floor: Vector,
  look: (rows: readonly RowRef[], floor: Vector) => Promise<readonly Entry[]>,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  let entries = found;
  const asking = new Set<RowRef>();
  for (let looked = floor; ;) {
    const floors = work.map((row) => floorOfRow(row, entries.get(rowId(row.ref)) ?? [], looked));
    for (const [i, row] of work.entries()) if (!reaches(floors[i]!, looked)) asking.add(row.ref);
    const needed = minVector([looked, ...floors]);
    if (reaches(needed, looked)) return entries;
    entries = new Map([...found, ...groupByRow(await look([...asking], needed))]);
    looked = needed;
  }
}

export const floorOfRow = (work: RowWork, entries: readonly Entry[], floor: Vector): Vector =>
  floorOfPast(work, entries, floorOfTexts(work, entries, floor));
