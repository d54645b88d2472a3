import type { Cancellation, DeliveredTick, RegionId, Seq, Tick, TickReader, Transport } from '@meridian/core';
import { linkedAbort } from '../cancellation.js';

/** The regions of one process, for tests: each region's transport reads the others' logs. Keeps nothing itself. */
export class MemoryNetwork {
  private readonly readers = new Map<RegionId, TickReader>();
  private readonly cut = new Set<string>();

  /** `reader`: the region's log, which the network serves from. */
  join(region: RegionId, reader: TickReader): MemoryTransport {
    this.readers.set(region, reader);
    return new MemoryTransport(region, this);
  }

  /** From now on neither sees the other. */
  partition(a: RegionId, b: RegionId): void {
    this.cut.add(pair(a, b));
  }

  heal(a: RegionId, b: RegionId): void {
    this.cut.delete(pair(a, b));
  }

  /** Logs that `region` reaches, the origin's first. */
  reachable(region: RegionId, origin: RegionId): readonly TickReader[] {
    return [...this.readers]
      .filter(([peer]) => peer !== region && !this.cut.has(pair(region, peer)))
      .sort(([a], [b]) => Number(b === origin) - Number(a === origin))
      .map(([, reader]) => reader);
  }
}

const pair = (a: RegionId, b: RegionId): string => [a, b].sort().join(' ');

/** Looked at again so often while nothing is reachable. */
const RETRY_MS = 20;
const BATCH = { ticks: 64, changes: 5_000 } as const;

export class MemoryTransport implements Transport {
  private readonly closed = new AbortController();

  constructor(
    private readonly region: RegionId,
    private readonly network: MemoryNetwork,
  ) {}

  /** The tick is in the log already; readers are woken by their log. */
  async publish(_tick: Tick): Promise<void> {}

  async *subscribe(origin: RegionId, from: Seq, signal: Cancellation): AsyncGenerator<DeliveredTick> {
    const { controller, release } = linkedAbort(signal);
    const stop = (): void => controller.abort();
    this.closed.signal.addEventListener('abort', stop);
    if (this.closed.signal.aborted) stop();
    let next = from;
    try {
      while (!controller.signal.aborted) {
        const ticks = await this.fetch(origin, next, (next + BATCH.ticks - 1) as Seq);
        for (const tick of ticks) {
          if (controller.signal.aborted) return;
          next = (tick.seq + 1) as Seq;
          yield { tick, position: null };
        }
        if (ticks.length === 0) await this.awaitChange(origin, next, controller.signal);
      }
    } finally {
      stop();
      release();
      this.closed.signal.removeEventListener('abort', stop);
    }
  }

  async fetch(origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> {
    for (const reader of this.network.reachable(this.region, origin)) {
      const ticks = await reader.read(origin, from, { ...BATCH, ticks: to - from + 1 });
      if (ticks[0]?.seq === from) return ticks.filter((t) => t.seq <= to);
    }
    return [];
  }

  async close(): Promise<void> {
    this.closed.abort();
  }

  /** Until a reachable log has more, or it is time to look who is reachable. */
  private async awaitChange(origin: RegionId, seq: Seq, signal: AbortSignal): Promise<void> {
    const retry = AbortSignal.any([signal, AbortSignal.timeout(RETRY_MS)]);
    const aborted = new Promise<void>((resolve) => retry.addEventListener('abort', () => resolve(), { once: true }));
    const readers = this.network.reachable(this.region, origin);
    await Promise.race([aborted, ...readers.map((reader) => reader.waitFor(origin, seq, retry))]);
  }
}
