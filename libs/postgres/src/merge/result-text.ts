import type { MergeOutcome } from '@meridian/core';

/** As in the sandbox of JavaScript functions: more is not taken. */
const MAX_RESULT = 100_000;

/** What a function returned, as text: an object with text or null for exactly these columns. */
export function outcomeOfText(text: string | null, columns: readonly string[]): MergeOutcome {
  if (text === null) return notAValue('the result is NULL, not an object with a value for each column');
  if (text.length > MAX_RESULT)
    return { kind: 'failed', because: 'too large', detail: `the result has more than ${MAX_RESULT} characters` };
  const result = JSON.parse(text) as unknown;
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    return notAValue('the result is not an object with a value for each column');
  const values = new Map<string, unknown>(Object.entries(result));
  for (const column of columns) {
    if (!values.has(column)) return notAValue(`the result has no column ${JSON.stringify(column)}`);
    if (!isText(values.get(column)))
      return notAValue(`column ${JSON.stringify(column)} is no text: write to_jsonb(value::text), or null`);
  }
  const extra = [...values.keys()].find((name) => !columns.includes(name));
  if (extra !== undefined) return notAValue(`the result has a column ${JSON.stringify(extra)}, which is not asked for`);
  return { kind: 'merged', values: Object.fromEntries(columns.map((c) => [c, values.get(c) as string | null])) };
}

const isText = (value: unknown): boolean => value === null || typeof value === 'string';
const notAValue = (detail: string): MergeOutcome => ({ kind: 'failed', because: 'not a value', detail });
