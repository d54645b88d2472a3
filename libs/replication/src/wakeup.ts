import type { Cancellation, Timers } from '@meridian/core';

/** A sleep that anybody can end early; a wake-up with nobody asleep ends the next sleep. */
export class Wakeup {
  private pending = false;
  private end: (() => void) | null = null;

  wake(): void {
    this.pending = true;
    this.end?.();
  }

  async wait(millis: number, timers: Timers, signal: Cancellation): Promise<void> {
    if (!this.pending && !signal.aborted) await this.sleep(millis, timers, signal);
    this.pending = false;
  }

  private async sleep(millis: number, timers: Timers, signal: Cancellation): Promise<void> {
    const cut = new AbortController();
    const end = () => cut.abort();
    signal.addEventListener('abort', end);
    this.end = end;
    try {
      await timers.sleep(millis, cut.signal);
    } finally {
      this.end = null;
      signal.removeEventListener('abort', end);
    }
  }
}
