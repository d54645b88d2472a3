import { type Retry, type TableRefused, TransactionRetryError } from '@meridian/core';

/** The step's result; a retry or a refusal leaves the attempt as an error, which {@link retryOf} tells from others. */
export function orRetry<T extends object>(outcome: T | Retry | TableRefused): T {
  if ('retry' in outcome && outcome.retry !== null) throw new TransactionRetryError(outcome);
  return outcome;
}

/** Why the attempt has to be taken again, when that is what the error says. */
export const retryOf = (error: unknown): Retry | TableRefused | null =>
  error instanceof TransactionRetryError ? error.because : null;
