import {
  type Entry,
  type RowRef,
  type Vector,
  loweredBySeen,
  reaches,
  rowId,
  textMembers,
  textsOf,
  writesColumn,
  groupByRow,
} from '@meridian/core';
import type { RowWork } from './batch.js';

/**
 * The entries of contended rows as far back as their texts need them: what one of those had not seen among which an arriving change
 * is decided may be below the batch's floor. Looked for again until all of it is there; nearly always one look is enough.
 */
export async function entriesOfTexts(
  work: readonly RowWork[],
  found: ReadonlyMap<string, readonly Entry[]>,
  floor: Vector,
  look: (rows: readonly RowRef[], floor: Vector) => Promise<readonly Entry[]>,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const withTexts = work.filter((w) => textsOf(w.spec).size > 0);
  let entries = found;
  for (let looked = floor; ;) {
    const needed = withTexts.reduce((least, w) => floorOfTexts(w, entries.get(rowId(w.ref)) ?? [], least), looked);
    if (reaches(needed, looked)) return entries;
    const again = await look(
      withTexts.map((w) => w.ref),
      needed,
    );
    entries = new Map([...found, ...groupByRow(again)]);
    looked = needed;
  }
}

/** What all members of the row's texts have seen, no more than `floor`. */
function floorOfTexts({ spec, arriving }: RowWork, entries: readonly Entry[], floor: Vector): Vector {
  return [...textsOf(spec).keys()]
    .flatMap((column) => membersOf(column, arriving, entries))
    .reduce(loweredBySeen, floor);
}

function membersOf(column: string, arriving: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const start = arriving.filter((e) => writesColumn(column, e));
  return textMembers(
    start,
    entries.filter((e) => writesColumn(column, e)),
  );
}
