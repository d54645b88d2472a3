import type { JsonText } from '../ids.js';
import type { TableSpec } from '../policy/table-policy.js';
import { type Change, parseValues, type Values, valuesText } from './change.js';
import { addDecimals } from './decimal.js';

type Columns = Pick<TableSpec, 'renamed' | 'agreed' | 'counters' | 'epoch'>;

/**
 * A change in the columns that its table has here now: under their present names, and without those that the
 * regions have agreed to do without since. In the log it stays as it was written, for its tick is made again from that.
 */
export function inPresentColumns<T extends Change>(change: T, columns: Columns): T {
  const isPast = change.epoch < columns.epoch;
  if (columns.renamed.length === 0 && !isPast) return change;
  const { patch, before, ranks } = change;
  const present = <V>(values: { readonly [column: string]: V }, both: Both<V>) => {
    const named = inPresentNames(values, columns, both);
    return Object.fromEntries(isPast ? named.filter(([column]) => columns.agreed.includes(column)) : named);
  };
  const inText = (values: JsonText, both: Both<Values[string]>): JsonText =>
    valuesText(present(parseValues(values), both));
  const counters = new Set(columns.counters);
  const written = (old: string | null, now: string | null, column: string): string | null =>
    counters.has(column) ? addDecimals(old ?? '0', now ?? '0') : now;
  return {
    ...change,
    patch: patch === null ? null : inText(patch, written),
    before: before === null ? null : inText(before, (old) => old),
    ranks: ranks === null ? null : present(ranks, (_old, now) => now),
  };
}

/** Folded from writes before and after the renaming, a change has a column under both names: what it is then. */
type Both<V> = (old: V, now: V, column: string) => V;

function inPresentNames<V>(values: { readonly [column: string]: V }, { renamed }: Columns, both: Both<V>) {
  const kept = new Map(Object.entries(values));
  for (const [old, name] of renamed) {
    if (!kept.has(old)) continue;
    kept.set(name, kept.has(name) ? both(kept.get(old)!, kept.get(name)!, name) : kept.get(old)!);
    kept.delete(old);
  }
  return [...kept];
}
