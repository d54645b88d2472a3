import type { Cancellation, RegionId, Seq, Tick } from '@meridian/core';
import { sealedParts } from '../envelope/tick-messages.js';
import type { Envelopes } from '../envelope/envelope.js';
import { frame } from './frames.js';

/** A tick ready to be sent: sealed once, whatever the number of peers. */
export interface FramedTick {
  readonly seq: Seq;
  readonly frames: Iterable<Buffer>;
}

interface RecentTick extends FramedTick {
  readonly frames: readonly Buffer[];
  readonly publishedAt: number;
}

/**
 * The last ticks published in this process, so that peers who keep up cost no read of the log. Bounded in bytes; whoever is
 * further behind reads from the log. A large tick stays for a while, for each peer would have it made again.
 */
export class RecentTicks {
  private ticks: RecentTick[] = [];
  private bytes = 0;
  private publishedAt = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly origin: RegionId,
    private readonly envelopes: Envelopes,
    private readonly maxBytes = 16 * 1024 * 1024,
  ) {}

  async publish(tick: Tick): Promise<void> {
    const framed = { seq: tick.seq, frames: await this.sealed(tick), publishedAt: Date.now() };
    // Published again after a restart, or by a relay that took over: the run of seqs begins anew.
    if (this.ticks.length > 0 && this.ticks.at(-1)!.seq !== tick.seq - 1) this.clear();
    this.ticks.push(framed);
    this.bytes += size(framed);
    this.publishedAt = framed.publishedAt;
    this.trim();
    for (const wake of [...this.waiting]) wake();
  }

  /** In order and without gaps, beginning with `from`; empty when that one is not here. */
  from(origin: RegionId, from: Seq): readonly FramedTick[] {
    const first = this.ticks[0]?.seq;
    if (origin !== this.origin || first === undefined || from < first) return [];
    return this.ticks.slice(from - first, from - first + MAX_BATCH);
  }

  /** The relay works in this process, and this seq is its next: the log has nothing that is not here. */
  leads(origin: RegionId, seq: Seq): boolean {
    const here = origin === this.origin && this.ticks.at(-1)?.seq === seq - 1;
    return here && Date.now() - this.publishedAt < LEAD_MS;
  }

  /** Resolves when a tick with this seq or a later one is published here, or the signal aborts. */
  waitFor(origin: RegionId, seq: Seq, signal: Cancellation): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const wake = (): void => {
        if (origin === this.origin && (this.ticks.at(-1)?.seq ?? 0) >= seq) done();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
      else wake();
    });
  }

  /** A large tick in portions: everybody else in this process has to get on meanwhile. */
  private async sealed(tick: Tick): Promise<readonly Buffer[]> {
    const frames: Buffer[] = [];
    for (const message of sealedParts(tick, this.envelopes))
      if (frames.push(frame(message)) % PARTS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    return frames;
  }

  private trim(): void {
    let drop = 0;
    const young = Date.now() - LARGE_KEPT_MS;
    const tooMuch = (oldest: RecentTick): boolean =>
      this.bytes > (oldest.publishedAt > young ? LARGE_BYTES : this.maxBytes);
    while (drop < this.ticks.length && tooMuch(this.ticks[drop]!)) this.bytes -= size(this.ticks[drop++]!);
    if (drop > 0) this.ticks = this.ticks.slice(drop);
  }

  private clear(): void {
    this.ticks = [];
    this.bytes = 0;
  }
}

/** Heartbeats come every second: after some without a tick another instance may have taken over. */
const LEAD_MS = 3_000;
/** What one large tick, or a burst of them, may take up, and for how long: 1 GB of text is some 100 MB sealed. */
const LARGE_BYTES = 256 * 1024 * 1024;
const LARGE_KEPT_MS = 30_000;
const PARTS_AT_ONCE = 4;
/** Ticks taken at a time, so that a peer that catches up does not hold the whole cache while it drains. */
const MAX_BATCH = 64;

const size = (tick: RecentTick): number => tick.frames.reduce((sum, f) => sum + f.length, 0);
