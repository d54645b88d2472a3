import type { MergeCall, MergeVersion, Values } from '@meridian/core';
import { type Finding, found, type WarningCode } from './finding.js';
import { cameOutAlike, type CheckedFunctions, type Tried, tried } from './tried.js';

/**
 * merge(merge(a, b), c) and merge(a, merge(b, c)) beside merge(a, b, c). A warning only: regions decide all maximal versions at
 * once. But a fourth that arrives later meets what the three had become, wherever they had been decided by then.
 */
export async function groupings(functions: CheckedFunctions, all: readonly Tried[]): Promise<Finding<WarningCode>[]> {
  const whole = all.filter(({ call, outcome }) => call.versions.length === 3 && outcome.kind === 'merged');
  const lefts = await regrouped(functions, whole, ([a, b, c]) => ({ pair: [a, b], rest: (ab) => [ab, c] }));
  const rights = await regrouped(functions, whole, ([a, b, c]) => ({ pair: [b, c], rest: (bc) => [a, bc] }));
  for (const [i, one] of whole.entries())
    for (const other of [lefts[i]!, rights[i]!])
      if (!cameOutAlike(one, other))
        return found('grouping_matters', 'two of three versions merged first came out otherwise', [one, other]);
  return [];
}

type Three = readonly [MergeVersion, MergeVersion, MergeVersion];
interface Grouping {
  readonly pair: readonly [MergeVersion, MergeVersion];
  readonly rest: (merged: MergeVersion) => readonly MergeVersion[];
}

async function regrouped(
  functions: CheckedFunctions,
  all: readonly Tried[],
  by: (three: Three) => Grouping,
): Promise<Tried[]> {
  const groupings = all.map(({ call }) => by(call.versions as unknown as Three));
  const pairs = await tried(
    functions,
    all.map(({ call }, i): MergeCall => ({ ...call, versions: groupings[i]!.pair })),
  );
  return tried(
    functions,
    pairs.map(({ call, outcome }, i): MergeCall => {
      const [, later] = groupings[i]!.pair;
      const values: Values = outcome.kind === 'merged' ? outcome.values : later.values;
      return { ...call, versions: groupings[i]!.rest({ ...later, values }) };
    }),
  );
}
