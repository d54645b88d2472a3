import type { CountersOf } from '@meridian/core';

/** Of the enrolled tables that have some: their columns by table, as one JSON object. */
export const COUNTERS = `
SELECT json_object_agg(rel, spec -> 'counters') FROM meridian.enrolled_table WHERE spec #>> '{counters,0}' IS NOT NULL`;

const NONE: ReadonlySet<string> = new Set();

/** From what {@link COUNTERS} answers; null: no table has any. */
export function countersIn(text: string | null): CountersOf {
  const columns = Object.entries(JSON.parse(text ?? '{}') as Record<string, string[]>);
  const counters = new Map(columns.map(([table, names]) => [table, new Set(names)]));
  return (table) => counters.get(table) ?? NONE;
}
