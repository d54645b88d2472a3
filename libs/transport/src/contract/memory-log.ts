import type { Cancellation, RegionId, Seq, Tick, TickReader } from '@meridian/core';

/** A region's log in memory: what a transport reads from in the contract's tests. */
export class MemoryLog implements TickReader {
  private readonly ticks = new Map<RegionId, Map<number, Tick>>();
  private readonly waiting = new Set<() => void>();
  reads = 0;

  append(...ticks: readonly Tick[]): void {
    for (const tick of ticks) {
      const of = this.ticks.get(tick.origin) ?? new Map<number, Tick>();
      this.ticks.set(tick.origin, of.set(tick.seq, tick));
    }
    for (const wake of [...this.waiting]) wake();
  }

  /** As the log's garbage collection does. */
  forgetBelow(origin: RegionId, seq: Seq): void {
    for (const n of [...(this.ticks.get(origin)?.keys() ?? [])]) if (n < seq) this.ticks.get(origin)!.delete(n);
  }

  async read(
    origin: RegionId,
    from: Seq,
    limit: { readonly ticks: number; readonly changes: number },
  ): Promise<readonly Tick[]> {
    this.reads++;
    const found: Tick[] = [];
    let changes = 0;
    for (let n = from; found.length < limit.ticks && (found.length === 0 || changes < limit.changes); n++) {
      const tick = this.ticks.get(origin)?.get(n);
      if (tick === undefined) break;
      found.push(tick);
      changes += tick.changes.length;
    }
    return found;
  }

  waitFor(origin: RegionId, seq: Seq, signal: Cancellation): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(look);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const look = (): void => {
        if (Math.max(0, ...(this.ticks.get(origin)?.keys() ?? [])) >= seq) done();
      };
      this.waiting.add(look);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
      else look();
    });
  }
}
