import type { Cancellation, Timers } from '@meridian/core';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class VirtualTimers implements Timers {
  private time = 0;
  private readonly sleepers = new Set<Sleeper>();

  now(): number {
    return this.time;
  }

  get asleep(): number {
    return this.sleepers.size;
  }

  sleep(millis: number, signal: Cancellation): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { until: this.time + millis, wake };
      this.sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
    });
  }

  /** Sleepers wake at their time, one after another, and do what they do before the clock goes on. */
  async advance(millis: number): Promise<void> {
    const end = this.time + millis;
    await settled();
    for (;;) {
      const next = [...this.sleepers].sort((a, b) => a.until - b.until)[0];
      if (next === undefined || next.until > end) break;
      this.time = Math.max(this.time, next.until);
      next.wake();
      await settled();
    }
    this.time = end;
  }
}

/** Until every promise that can go on has gone on: none of the tested code waits for anything but these timers. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
