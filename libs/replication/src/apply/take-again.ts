import { type Retry, type TableRefused, TransactionRetryError } from '@meridian/core';

/** Leaves an attempt from any depth: it is rolled back and taken again. Never seen outside the applier. */
export class TakeAgain extends Error {
  constructor(readonly because: Retry | TableRefused) {
    super(`${because.retry}: ${because.detail}`);
  }
}

/** The value, or out of the attempt. */
export function orRetry<T extends object>(outcome: T | Retry | TableRefused): T {
  if ('retry' in outcome && outcome.retry !== null) throw new TakeAgain(outcome);
  return outcome;
}

/** Why the attempt has to be taken again, when that is what the error says. */
export const retryOf = (error: unknown): Retry | TableRefused | null =>
  error instanceof TakeAgain || error instanceof TransactionRetryError ? error.because : null;
