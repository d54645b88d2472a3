import type { Cancellation, Timers } from '@meridian/core';
import type { PgShares } from '@meridian/postgres';
import type { Logger } from 'pino';

/** A share that runs low is topped up within this and the way there and back; the look costs one query where nothing has changed. */
const INTERVAL_MS = 100;

/** What the leader does for bounded counters: gives other regions of this one's shares, where they have little. */
export async function moveShares(shares: PgShares, timers: Timers, signal: Cancellation, log: Logger): Promise<void> {
  while (!signal.aborted) {
    try {
      while (!signal.aborted && (await shares.round()) > 0);
    } catch (error) {
      log.warn({ err: error }, 'shares of bounded counters could not be moved, and it is tried again');
    }
    await timers.sleep(INTERVAL_MS, signal);
  }
}
