import type { CountersOf } from '@meridian/core';

/** Of the epochs that have some, those of ended enrolments too: [table, epoch, columns] of each, as one JSON array. */
export const COUNTERS = `
SELECT json_agg(json_build_array(rel, epoch, counters)) FROM meridian.policy_epoch WHERE counters #>> '{0}' IS NOT NULL`;

const NONE: ReadonlySet<string> = new Set();

/** From what {@link COUNTERS} answers; null: no table has any. */
export function countersIn(text: string | null): CountersOf {
  const epochs = JSON.parse(text ?? '[]') as [table: string, epoch: number, columns: string[]][];
  const counters = new Map(epochs.map(([table, epoch, columns]) => [`${epoch} ${table}`, new Set(columns)]));
  return ({ table, epoch }) => counters.get(`${epoch} ${table}`) ?? NONE;
}
