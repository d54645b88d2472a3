import { type DeliveredTick, type RegionId, type Seq, type Tick, type Vector, at, weightOf } from '@meridian/core';

/**
 * Ticks that have arrived and are not applied: by origin and seq. Holds a bounded number of changes; a receiver that brings a
 * later tick than the next one of its origin waits for room, so that memory stays bounded while the stream is held back.
 */
export class Inbox {
  private readonly waiting = new Map<RegionId, Map<number, DeliveredTick>>();
  private changes = 0;
  private readonly roomWaiters = new Set<() => void>();

  constructor(private readonly maxChanges: number) {}

  put(delivered: DeliveredTick): void {
    const { origin, seq } = delivered.tick;
    const ticks = this.waiting.get(origin) ?? new Map<number, DeliveredTick>();
    if (ticks.has(seq)) return;
    ticks.set(seq, delivered);
    this.waiting.set(origin, ticks);
    this.changes += weight(delivered.tick);
  }

  get(origin: RegionId, seq: number): DeliveredTick | undefined {
    return this.waiting.get(origin)?.get(seq);
  }

  /** Applied, by us or by another: gone from here. */
  drop(applied: Vector): void {
    for (const [origin, ticks] of this.waiting)
      for (const [seq, { tick }] of ticks)
        if (seq <= at(applied, origin)) {
          ticks.delete(seq);
          this.changes -= weight(tick);
        }
    // Also without room: what was applied may have made a waiting tick the next of its origin, and the others wait for it.
    for (const wake of this.roomWaiters) wake();
  }

  hasRoom(): boolean {
    return this.changes < this.maxChanges;
  }

  /** Resolves when there is room, or the origin's next tick is the one that everybody waits for. */
  async room(next: () => boolean, signal: { readonly aborted: boolean }): Promise<void> {
    while (!this.hasRoom() && !next() && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.roomWaiters.delete(wake);
          resolve();
        };
        this.roomWaiters.add(wake);
      });
  }

  /** Ends every wait for room: at shutdown. */
  release(): void {
    for (const wake of this.roomWaiters) wake();
  }

  get size(): number {
    return this.changes;
  }
}

/** A heartbeat takes room too. */
const weight = (tick: Tick): number => weightOf(tick) + 1;

export const seqAfter = (seq: Seq): Seq => (seq + 1) as Seq;
