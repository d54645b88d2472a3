import type { Cancellation, Timers } from '@meridian/core';
import type { LeaderLock } from '@meridian/postgres';

/** How often an instance that does not lead asks for the lock: a takeover takes as long, and the start of the pipeline. */
const RETRY_MS = 500;

export interface Lead {
  /** Leads until the returned function is called. */
  begin(): Promise<() => Promise<void>>;
}

/** One instance per region relays and applies: whoever holds the lock. The others serve REST, and take over when it dies. */
export async function contendForLead(
  lock: LeaderLock,
  lead: Lead,
  timers: Timers,
  signal: Cancellation,
  events: { following(): void; failed(error: unknown): void },
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await lock.tryAcquire()) await leadUntilLost(lock, lead, signal);
      else events.following();
    } catch (error) {
      events.failed(error);
      await lock.release().catch(() => undefined);
    }
    await timers.sleep(RETRY_MS, signal);
  }
  await lock.release();
}

async function leadUntilLost(lock: LeaderLock, lead: Lead, signal: Cancellation): Promise<void> {
  const end = await lead.begin();
  try {
    await new Promise<void>((resolve) => {
      lock.once('lost', () => resolve());
      signal.addEventListener('abort', () => resolve());
      if (signal.aborted || !lock.isHeld) resolve();
    });
  } finally {
    await end();
    await lock.release().catch(() => undefined);
  }
}
