import type { Problem } from '@meridian/contract';

/** What the service refused, or that it does not answer. `code` is what programs look at; the message has the cure. */
export class MeridianError extends Error {
  override readonly name = 'MeridianError';
  constructor(
    readonly code: Problem['code'] | 'unreachable' | 'not_meridian',
    message: string,
    readonly problem: Problem | null = null,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
