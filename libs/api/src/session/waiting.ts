import type { Relaying } from '@meridian/core';

/** Another instance may be the one that applies, and then nothing in this process tells of it: look this often. */
const POLL_MS = 20;

/** Waits for a condition on the region's progress: looked at on every notice from this process, and now and then anyway. */
export class Waiting {
  readonly #listeners = new Set<() => void>();

  constructor(
    relaying: Relaying,
    private readonly deadlineMs: number,
  ) {
    relaying.onAdvance(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** False: the deadline passed first. */
  async until(holds: () => Promise<boolean>): Promise<boolean> {
    const end = performance.now() + this.deadlineMs;
    for (;;) {
      // Listened to before the look, so that nothing falls between the two.
      const advanced = this.#nextAdvance(Math.min(POLL_MS, Math.max(0, end - performance.now())));
      const reached = await holds();
      if (reached || performance.now() >= end) {
        advanced.cancel();
        return reached;
      }
      await advanced.promise;
    }
  }

  #nextAdvance(timeoutMs: number): { readonly promise: Promise<void>; readonly cancel: () => void } {
    let cancel = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#listeners.add(done);
      cancel = done;
    });
    return { promise, cancel };
  }
}
