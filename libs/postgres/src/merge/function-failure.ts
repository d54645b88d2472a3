import type { MergeOutcome } from '@meridian/core';

const CANCELLED = '57014';
/**
 * The transaction's or the server's, whoever's statement it was: serialization, deadlock (40), resources (53), an operator (57P),
 * I/O (58), a lock that somebody else has.
 */
const NOT_THE_FUNCTIONS = /^(?:40|53|57P|58|55P03)/;

/** Whether calling it was what failed: all else is passed on. */
export const isFunctionsOwn = (error: unknown): boolean => {
  const { code } = error as { readonly code?: string };
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !NOT_THE_FUNCTIONS.test(code);
};

export function failureOf(error: unknown): MergeOutcome {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return code === CANCELLED
    ? { kind: 'failed', because: 'timed out', detail: 'it takes longer than a call may' }
    : { kind: 'failed', because: 'threw', detail: `${message} (${code})` };
}
