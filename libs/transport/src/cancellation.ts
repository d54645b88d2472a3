import type { Cancellation } from '@meridian/core';

/** An AbortController that also aborts with the caller's signal; `release` takes the listener off again. */
export function linkedAbort(signal: Cancellation): {
  readonly controller: AbortController;
  readonly release: () => void;
} {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  return { controller, release: () => signal.removeEventListener('abort', abort) };
}

/** Resolves after this time, or at once when the signal aborts. Keeps no process alive. */
export function pause(ms: number, signal: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** The work's end, or the abort, whichever is first: for what cannot be interrupted and then ends by itself, unheard. */
export async function unlessAborted(work: Promise<unknown>, signal: Cancellation): Promise<void> {
  let abort = (): void => undefined;
  const aborted = new Promise<void>((resolve) => (abort = resolve));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
