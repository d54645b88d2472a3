import type { CountersOf } from '@meridian/core';

/** Of the enrolled tables that have some: their columns by table, as one JSON object; also under the names they had before. */
export const COUNTERS = `
SELECT json_object_agg(rel, ARRAY(SELECT * FROM json_array_elements_text(spec -> 'counters') c
                                  UNION ALL SELECT r ->> 0 FROM json_array_elements(spec -> 'renamed') r, json_array_elements_text(spec -> 'counters') c WHERE r ->> 1 = c))
  FROM meridian.enrolled_table WHERE spec #>> '{counters,0}' IS NOT NULL`;

const NONE: ReadonlySet<string> = new Set();

/** From what {@link COUNTERS} answers; null: no table has any. */
export function countersIn(text: string | null): CountersOf {
  const columns = Object.entries(JSON.parse(text ?? '{}') as Record<string, string[]>);
  const counters = new Map(columns.map(([table, names]) => [table, new Set(names)]));
  return (table) => counters.get(table) ?? NONE;
}
