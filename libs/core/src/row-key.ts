import type { RowKey } from './ids.js';
import type { Values } from './change/change.js';

/** A key as capture writes it with json_build_array: comma and space between the texts. Null when a part of it is NULL. */
export function rowKeyOf(columns: readonly string[], values: Values): RowKey | null {
  const parts = columns.map((c) => (Object.hasOwn(values, c) ? values[c] : null));
  return parts.some((p) => p === null || p === undefined)
    ? null
    : (`[${parts.map((p) => JSON.stringify(p)).join(', ')}]` as RowKey);
}
