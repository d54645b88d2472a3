import { covers } from '../causality/coverage.js';
import { addDecimals, negateDecimal } from '../change/decimal.js';
import { patchOf } from '../change/change.js';
import type { RegionId } from '../ids.js';
import type { RowStanding, RowVersion } from '../ports/row-log.js';
import { versionOf } from './explain.js';
import { olderThanLog } from './older-than-log.js';
import type { CounterSums, Explanation } from './row-explanation.js';

/** A counter comes from all its increments: by region, what the log still has of them, and the rest. */
export function explainCounter(column: string, standing: RowStanding): Explanation & { readonly sums: CounterSums } {
  const counted = countedOf(column, standing.versions);
  const updates = counted.filter((v) => v.entry.op === 'update');
  const increments = [...new Set(updates.map((v) => v.entry.origin))].map((origin) =>
    sumOf(
      origin,
      column,
      updates.filter((v) => v.entry.origin === origin),
    ),
  );
  const value = standing.row!.values[column] ?? '0';
  const rest = increments.reduce((left, { sum }) => addDecimals(left, negateDecimal(sum)), value);
  const began = counted.some((v) => v.entry.op === 'insert');
  const last = counted.at(-1);
  return {
    change: last === undefined ? null : sourceOf(last),
    beat: [],
    reason: `${[...increments.map(told), restOf(rest, began, standing)].join(', ')}: differences add up, and none is lost`,
    conflicts: [],
    sums: { increments, rest },
  };
}

/** An insert starts the counter anew: what it had seen counts no more. */
function countedOf(column: string, versions: readonly RowVersion[]): RowVersion[] {
  const inserts = versions.filter((v) => v.entry.op === 'insert');
  return versions.filter(
    (v) =>
      v.entry.op !== 'delete' &&
      Object.hasOwn(patchOf(v.entry), column) &&
      !inserts.some((i) => i !== v && covers(i.entry, v.entry)),
  );
}

const sumOf = (origin: RegionId, column: string, of: readonly RowVersion[]): CounterSums['increments'][number] => ({
  origin,
  sum: of.reduce((sum, v) => addDecimals(sum, patchOf(v.entry)[column] ?? '0'), '0'),
  changes: of.length,
});

const told = ({ origin, sum, changes }: CounterSums['increments'][number]): string =>
  `${origin} added ${sum} in ${changes} ${changes === 1 ? 'change' : 'changes'}`;

const restOf = (rest: string, began: boolean, standing: RowStanding): string =>
  began ? `it began with ${rest}` : `${rest} is ${olderThanLog(standing)}`;

const sourceOf = ({ entry }: RowVersion): Explanation['change'] => {
  const { origin, id, stamp, wall, actor, application } = versionOf(entry);
  return { origin, id, stamp, wall, actor, application };
};
