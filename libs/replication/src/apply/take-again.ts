import { type Retry, type TableRefused, TransactionRetryError, type WriteOutcome } from '@meridian/core';
import { RowRefusedError } from './errors.js';

/** The step's result; a retry or a refusal leaves the attempt as an error, which {@link retryOf} tells from others. */
export function orRetry<T extends object>(outcome: T | Retry | TableRefused): T {
  if ('retry' in outcome && outcome.retry !== null) throw new TransactionRetryError(outcome);
  return outcome;
}

export type Step = Promise<WriteOutcome | TableRefused | void>;

/** Steps asked for, and to be looked at by {@link inTurn}: until then a failure is nobody's. */
export function asked(...steps: readonly Step[]): Step[] {
  for (const step of steps) step.catch(() => undefined);
  return [...steps];
}

/**
 * Steps asked for side by side, when all have ended. Looked at in the order of asking: what one did to the transaction makes
 * those behind it fail, too.
 */
export async function inTurn(steps: readonly Step[]): Promise<void> {
  await Promise.allSettled(steps);
  for (const step of steps) {
    const outcome = await step;
    if (outcome !== undefined) orRetry(outcome);
  }
}

/** An answer that comes behind these steps: where it fails, one of them may be why. */
export async function behind<T>(steps: readonly Step[], answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    await inTurn(steps);
    throw error;
  }
}

/** Why the attempt has to be taken again, when that is what the error says. */
export function retryOf(error: unknown): Retry | TableRefused | null {
  if (error instanceof RowRefusedError)
    return { retry: 'table refused', table: error.ref.table, detail: error.message };
  return error instanceof TransactionRetryError ? error.because : null;
}
