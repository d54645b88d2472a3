/**
 * Milliseconds to rest after this many changes came in that time, so that those of a load share a transaction (ADR 8): at 200 a
 * second 4, at 2,000 a second 40.
 */
export const restUnder = (changes: number, elapsedMs: number): number =>
  Math.round((REST_MS_PER_CHANGE_A_MS * changes) / Math.max(1, elapsedMs));

const REST_MS_PER_CHANGE_A_MS = 20;
