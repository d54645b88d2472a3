import { type Cancellation, type RegionId, type TickStore, type Timers, type Vector, stableCut } from '@meridian/core';

/** Drops the log's partitions that are below the stable cut and older than the history to keep. */
export class RetentionLoop {
  constructor(
    private readonly store: TickStore,
    private readonly members: readonly RegionId[],
    private readonly timers: Timers,
    private readonly intervalMs: number,
    /** A sweep has gone through that began after the call: what it reads of the log below the cut may be dropped. */
    private readonly swept: (cut: Vector) => Promise<boolean>,
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
    const cut = stableCut(this.members, await this.store.lastDeps());
    return (await this.swept(cut)) ? this.store.dropBelow(cut) : 0;
  }
}
