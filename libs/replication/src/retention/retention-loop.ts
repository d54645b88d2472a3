import { type Cancellation, type RegionId, type TickStore, type Timers, stableCut } from '@meridian/core';

/** Drops the log's partitions that are below the stable cut and older than the history to keep. */
export class RetentionLoop {
  constructor(
    private readonly store: TickStore,
    private readonly members: readonly RegionId[],
    private readonly timers: Timers,
    private readonly intervalMs: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  async run(signal: Cancellation): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.collect();
      } catch (error) {
        this.failed(error);
      }
      await this.timers.sleep(this.intervalMs, signal);
    }
  }

  async collect(): Promise<number> {
    return this.store.dropBelow(stableCut(this.members, await this.store.lastDeps()));
  }
}
