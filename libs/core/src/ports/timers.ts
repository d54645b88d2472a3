import type { Cancellation } from './transport.js';

/** Time as the runtimes see it; the simulation has its own. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after this long, or as soon as the signal aborts. */
  sleep(millis: number, signal: Cancellation): Promise<void>;
}
