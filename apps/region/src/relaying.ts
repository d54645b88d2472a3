import { type FeedBus, type Head, type RegionId, type Relaying, type Tick, seq } from '@meridian/core';
import type { Pipeline } from '@meridian/replication';

/** Between REST and the pipeline, which may run in another instance of this region. All of it only saves waiting. */
export class LocalRelaying implements Relaying {
  private pipeline: Pipeline | null = null;

  constructor(private readonly bus: FeedBus) {}

  lead(pipeline: Pipeline | null): void {
    this.pipeline = pipeline;
  }

  written(): void {
    this.pipeline?.wake();
  }

  promised(own: number): void {
    this.pipeline?.promise(seq(own));
  }

  onAdvance(listener: () => void): () => void {
    return this.bus.subscribe(listener);
  }

  cut({ origin, seq }: Tick): void {
    this.bus.publish({ kind: 'visible', origin, seq });
  }

  /** Not who applied how far is the news, but that something was applied: one event is enough for all origins. */
  applied(heads: ReadonlyMap<RegionId, Head>): void {
    const [first] = heads;
    if (first !== undefined) this.bus.publish({ kind: 'visible', origin: first[0], seq: first[1].seq });
  }

  /** Something else than a tick has changed what readers see. */
  changed(): void {
    this.bus.publish({ kind: 'missed' });
  }
}
