import { type Entry, type Vector, loweredBySeen, textMembers, textsOf, writesColumn } from '@meridian/core';
import type { RowWork } from './batch.js';

/** What all members of the row's texts have seen, no more than `floor`. */
export function floorOfTexts({ spec, arriving }: RowWork, entries: readonly Entry[], floor: Vector): Vector {
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
