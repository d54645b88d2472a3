import type { Cancellation, RegionId, Seq, Tick, TickReader, TickStore, Timers } from '@meridian/core';

/** Without Redis nobody tells an instance that does not lead that the leader has cut or applied a tick: it looks this often. */
const POLL_MS = 100;

type Limit = { readonly ticks: number; readonly changes: number };

/** What peers read of this region's log; the last ticks cut here the transport itself keeps in memory. */
export class LogReader implements TickReader {
  private readonly waiters = new Set<() => void>();

  constructor(
    private readonly store: TickStore,
    private readonly timers: Timers,
  ) {}

  read(origin: RegionId, from: Seq, limit: Limit): Promise<readonly Tick[]> {
    return this.store.readTicks(origin, from, limit);
  }

  /** Something was applied or cut: whoever waits looks again. */
  wake(): void {
    for (const waiter of [...this.waiters]) waiter();
  }

  async waitFor(_origin: RegionId, _seq: Seq, signal: Cancellation): Promise<void> {
    if (signal.aborted) return;
    const woken = new AbortController();
    const wake = () => woken.abort();
    this.waiters.add(wake);
    signal.addEventListener('abort', wake);
    try {
      await this.timers.sleep(POLL_MS, woken.signal);
    } finally {
      this.waiters.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }
}
