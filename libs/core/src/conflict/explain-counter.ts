import { covers } from '../causality/coverage.js';
import { addDecimals, negateDecimal } from '../change/decimal.js';
import { patchOf } from '../change/change.js';
import type { RegionId } from '../ids.js';
import { countedAt } from '../policy/table-policy.js';
import type { RowStanding, RowVersion } from '../ports/row-log.js';
import { sourceOf } from './change-source.js';
import { olderThanLog } from './older-than-log.js';
import type { CounterSums, Explanation } from './row-explanation.js';

/** A counter comes from all its increments: by region, what the log still has of them, and the rest. */
export function explainCounter(column: string, standing: RowStanding): Explanation & { readonly sums: CounterSums } {
  const counted = countedOf(column, standing);
  const updates = counted.filter((v) => isIncrement(v, column, standing));
  const increments = [...new Set(updates.map((v) => v.entry.origin))].map((origin) =>
    sumOf(
      origin,
      column,
      updates.filter((v) => v.entry.origin === origin),
    ),
  );
  const value = standing.row!.values[column] ?? '0';
  const rest = increments.reduce((left, { sum }) => addDecimals(left, negateDecimal(sum)), value);
  const began = counted.find((v) => !isIncrement(v, column, standing));
  const last = counted.at(-1);
  return {
    change: last === undefined ? null : sourceOf(last.entry, undefined),
    beat: [],
    reason: `${[...increments.map(told), restOf(rest, began, standing)].join(', ')}: differences add up, and none is lost`,
    conflicts: [],
    sums: { increments, rest },
  };
}

/** A write of the column while it was no counter is of a value, as an insert is: what it had seen counts no more. */
function countedOf(column: string, { spec, versions }: RowStanding): RowVersion[] {
  const writers = versions.filter((v) => v.entry.op !== 'delete' && Object.hasOwn(patchOf(v.entry), column));
  const values = writers.filter((v) => !isIncrement(v, column, { spec }));
  return writers.filter((v) => !values.some((i) => i !== v && covers(i.entry, v.entry)));
}

const isIncrement = ({ entry }: RowVersion, column: string, { spec }: Pick<RowStanding, 'spec'>): boolean =>
  entry.op === 'update' && countedAt(spec, column, entry.epoch);

const sumOf = (origin: RegionId, column: string, of: readonly RowVersion[]): CounterSums['increments'][number] => ({
  origin,
  sum: of.reduce((sum, v) => addDecimals(sum, patchOf(v.entry)[column] ?? '0'), '0'),
  changes: of.length,
});

const told = ({ origin, sum, changes }: CounterSums['increments'][number]): string =>
  `${origin} added ${sum} in ${changes} ${changes === 1 ? 'change' : 'changes'}`;

function restOf(rest: string, began: RowVersion | undefined, standing: RowStanding): string {
  if (began === undefined) return `${rest} is ${olderThanLog(standing)}`;
  return began.entry.op === 'insert' ? `it began with ${rest}` : `it was ${rest} when it became a counter`;
}
