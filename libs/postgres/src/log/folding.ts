import type { Folding, FoldingOf } from '@meridian/core';

/**
 * Of the epochs that have counters or merged columns, those of ended enrolments too: [table, epoch, counters, merged, renamed] of
 * each, as one JSON array. At the present epoch the counters are the columns that are counters now; `renamed`, of all epochs of
 * the present enrolment: [before, now].
 */
export const FOLDING = `
SELECT json_agg(json_build_array(p.rel, p.epoch, CASE WHEN t.epoch = p.epoch THEN t.spec -> 'counters' ELSE p.counters END, p.merged, t.spec -> 'renamed'))
  FROM meridian.policy_epoch p
  LEFT JOIN meridian.enrolled_table t ON t.rel = p.rel
   AND NOT EXISTS (SELECT FROM meridian.policy_epoch e WHERE e.rel = p.rel AND e.ended AND e.epoch >= p.epoch)
 WHERE p.counters #>> '{0}' IS NOT NULL OR p.merged #>> '{0}' IS NOT NULL`;

type Renamed = readonly (readonly [before: string, now: string])[];

const NONE: Folding = { counters: new Set(), merged: new Set() };

/** From what {@link FOLDING} answers; null: no table has any. */
export function foldingIn(text: string | null): FoldingOf {
  const epochs = JSON.parse(text ?? '[]') as [
    table: string,
    epoch: number,
    counters: string[],
    merged: string[],
    renamed: Renamed | null,
  ][];
  const folding = new Map(
    epochs.map(([table, epoch, counters, merged, renamed]): [string, Folding] => [
      `${epoch} ${table}`,
      { counters: namesOf(counters, renamed ?? []), merged: namesOf(merged, renamed ?? []) },
    ]),
  );
  return ({ table, epoch }) => folding.get(`${epoch} ${table}`) ?? NONE;
}

/** Under every name that they have or had: changes name a column as it was called when they were written. */
function namesOf(columns: readonly string[], renamed: Renamed): ReadonlySet<string> {
  if (renamed.length === 0) return new Set(columns);
  const now = renamed.flatMap(([before, name]) => (columns.includes(before) ? [name] : []));
  const names = new Set([...columns, ...now]);
  return new Set([...names, ...renamed.flatMap(([before, name]) => (names.has(name) ? [before] : []))]);
}
