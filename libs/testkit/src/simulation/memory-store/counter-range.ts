import { addDecimals, negateDecimal, type TableName, type Values } from '@meridian/core';

/** Counters whose type has a range: the greatest value that each shows, by table and column. The least is its negative. */
export type CounterRanges = ReadonlyMap<TableName, ReadonlyMap<string, number>>;

/** A row as its table keeps it. */
export interface Counted {
  /** What the table shows. */
  readonly values: Values;
  /** Of counters whose full sum is beyond what shows: meridian.counter_excess. */
  readonly excess: Values;
}

export const NO_EXCESS: Values = {};

/** The row with its counters' full sums. */
export function fullValues({ values, excess }: Counted): Values {
  const beyond = Object.entries(excess);
  if (beyond.length === 0) return values;
  return { ...values, ...Object.fromEntries(beyond.map(([c, more]) => [c, addDecimals(values[c]!, more!)])) };
}

/** As a table keeps it: what its counters' types can show, and the excess. */
export function counted(ranges: ReadonlyMap<string, number> | undefined, full: Values): Counted {
  const values: Record<string, string | null> = { ...full };
  const excess: Record<string, string | null> = {};
  for (const [column, greatest] of ranges ?? []) {
    const sum = Number(full[column]);
    const shown = Math.max(-greatest, Math.min(greatest, sum));
    if (shown === sum) continue;
    values[column] = String(shown);
    excess[column] = addDecimals(full[column]!, negateDecimal(String(shown)));
  }
  return Object.keys(excess).length === 0 ? { values: full, excess: NO_EXCESS } : { values, excess };
}

/** Does what it shows fit its types? A local write that does not is an error at its writer. */
export const isInRange = (ranges: ReadonlyMap<string, number> | undefined, values: Values): boolean =>
  [...(ranges ?? [])].every(([column, greatest]) => Math.abs(Number(values[column])) <= greatest);
