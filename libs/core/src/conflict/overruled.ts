import { addDecimals, negateDecimal } from '../change/decimal.js';
import { type Values, valueIn } from '../change/change.js';
import type { Remedy, Written } from './remedy.js';

/** Two decisions that did not know of each other, of which one stands, and the row as policies have decided their writes. */
export interface Overruled {
  /** What the one that does not stand wrote; null: nothing. */
  readonly overruled: Written | null;
  readonly standing: Written | null;
  readonly present: Values | null;
  readonly counters: readonly string[];
}

/**
 * Makes the row agree with the decision that stands: what the overruled one wrote, and still is there, becomes what the other wrote, or
 * what was there before. What others have written since stays.
 */
export function settlingOf({ overruled, standing, present, counters }: Overruled): Remedy {
  if (overruled === null) return LEAVE;
  const { before, after } = overruled;
  const deletes = standing !== null && standing.after === null;
  const wanted = standing?.after ?? {};
  if (present === null) {
    if (after !== null || deletes || before === null) return LEAVE;
    const whole = { ...before, ...wanted };
    return { kind: 'write', values: whole, whole };
  }
  if (after === null) return LEAVE;
  const stands = Object.keys(after).filter((c) => !counters.includes(c) && valueIn(present, c) === after[c]);
  if (deletes || (before === null && standing === null)) return stands.length > 0 ? { kind: 'delete' } : LEAVE;
  const values = stands.flatMap((c) => {
    const source = Object.hasOwn(wanted, c) ? wanted : before;
    return source !== null && Object.hasOwn(source, c) ? [[c, source[c]]] : [];
  });
  const counted = counters.flatMap((c) => takenBack(c, overruled, present));
  const all = Object.fromEntries([...values, ...counted]) as Values;
  return Object.keys(all).length === 0 ? LEAVE : { kind: 'write', values: all, whole: null };
}

const LEAVE: Remedy = { kind: 'leave' };

/** Both decisions' differences have been added. */
function takenBack(column: string, { before, after }: Written, present: Values): [string, string][] {
  if (before === null || after === null || !Object.hasOwn(after, column)) return [];
  const by = addDecimals(valueIn(before, column) ?? '0', negateDecimal(after[column] ?? '0'));
  return [[column, addDecimals(valueIn(present, column) ?? '0', by)]];
}
