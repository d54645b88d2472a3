import type { MergeCall, MergeOutcome } from '@meridian/core';
import type { Answer } from './thread/messages.js';

/**
 * What a function gets. The interpreter takes 50 ns to read a character and to write one: more of them would bring an honest
 * call near to what the watchdog lets pass.
 */
export const MAX_INPUT = 200_000;

export interface CallText {
  readonly input: string;
  readonly columns: string;
}

/** JSON.stringify writes a lone surrogate as an escape, so nothing is lost on the way through UTF-8. */
export const callText = ({ base, versions, table, key, columns }: MergeCall): CallText => ({
  input: `{"base":${JSON.stringify(base)},"versions":${JSON.stringify(versions)},"context":{"table":${JSON.stringify(table)},"key":${key},"columns":${JSON.stringify(columns)}}}`,
  columns: JSON.stringify(columns),
});

/** What the sandbox says is not to be trusted: its interpreter may have been broken into. */
export function outcomeOf({ columns }: MergeCall, answer: Answer): MergeOutcome {
  if (answer.failure !== null) return { kind: 'failed', because: answer.failure, detail: answer.text };
  const values = parsed(answer.text);
  if (!Array.isArray(values) || values.length !== columns.length || !values.every(isText))
    return { kind: 'failed', because: 'not a value', detail: 'the sandbox answered something else than values' };
  return { kind: 'merged', values: Object.fromEntries(columns.map((column, i) => [column, values[i]!])) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string | null => value === null || typeof value === 'string';
