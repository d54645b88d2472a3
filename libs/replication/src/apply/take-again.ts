import { type Retry, type TableRefused, TransactionRetryError } from '@meridian/core';
import { RowRefusedError } from './errors.js';

/** The step's result; a retry or a refusal leaves the attempt as an error, which {@link retryOf} tells from others. */
export function orRetry<T extends object>(outcome: T | Retry | TableRefused): T {
  if ('retry' in outcome && outcome.retry !== null) throw new TransactionRetryError(outcome);
  return outcome;
}

/**
 * The results of steps asked for side by side. Looked at in the order of asking, when all have ended: what one did to the
 * transaction makes those behind it fail, too.
 */
export async function inTurn<A extends object, B, C extends object>(
  ...steps: readonly [Promise<A | Retry | TableRefused>, Promise<B>, Promise<C | Retry>]
): Promise<[A, B, C]> {
  await Promise.allSettled(steps);
  const [first, second, third] = steps;
  return [orRetry(await first), await second, orRetry(await third)];
}

/** Why the attempt has to be taken again, when that is what the error says. */
export function retryOf(error: unknown): Retry | TableRefused | null {
  if (error instanceof RowRefusedError)
    return { retry: 'table refused', table: error.ref.table, detail: error.message };
  return error instanceof TransactionRetryError ? error.because : null;
}
