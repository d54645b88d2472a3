import { type TableSpec, merges } from '@meridian/core';
import { EnrolmentRefused, type EnrolmentProblem, problem } from '../catalog/refusal.js';

/**
 * A column becomes a counter or one that is merged part by part, or ceases to be, with a new enrolment only: parts are decided by
 * what each write changed of what all regions had before, and writes on their way under another policy had other values before
 * them (the simulation found such tables to differ); those of a counter carry differences, which are no values of the column. So
 * does a bound: what each region may take follows from where the counter stood then.
 */
export function refuseMerging(before: TableSpec, next: TableSpec): void {
  const [was, becomes] = [mergedBy(before), mergedBy(next)];
  const columns = [...new Set([...was.keys(), ...becomes.keys()])].filter((c) => was.get(c) !== becomes.get(c));
  if (columns.length === 0) return;
  throw new EnrolmentRefused(
    next.name,
    columns.map((column): EnrolmentProblem =>
      problem(
        'policy_needs_enrolment',
        `"${column}" ${becomes.has(column) ? `becomes a ${becomes.get(column)}` : `is a ${was.get(column)} no more`} with a new enrolment only, for writes may be on their way`,
        `DELETE /v1/tables/${encodeURIComponent(next.name)}, then PUT it with this policy: the regions' rows are compared then`,
      ),
    ),
  );
}

const mergedBy = ({ registers, counters, bounded = [] }: TableSpec): ReadonlyMap<string, string> =>
  new Map([
    ...counters.map((column) => [column, 'counter'] as const),
    ...registers.flatMap(({ columns, policy }) =>
      merges(policy) ? columns.map((c) => [c, policy.kind] as const) : [],
    ),
    ...bounded.map(({ column, min }) => [column, `bounded-counter from ${min}`] as const),
  ]);

/** Under whichever policy: the shares of an enrolment last as long as it does. */
export const withSharesOf = (before: TableSpec | undefined, next: TableSpec): TableSpec =>
  before?.bounded === undefined ? next : { ...next, bounded: before.bounded };
