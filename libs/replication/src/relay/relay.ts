import { type Cut, type Digest, type Tick, type TickStore, foldChanges, tickDigest } from '@meridian/core';

/**
 * Cuts the log into ticks (design 4). The tick's row is committed before the tick is published; a crash in between publishes
 * the same content again, for it follows from the two snapshots.
 */
export class Relay {
  /** The last cut found nothing: so, probably, will the next. */
  private quiet = false;

  constructor(
    private readonly store: TickStore,
    private readonly digest: Digest,
  ) {}

  /** The next tick, or null when there is nothing to ship and no heartbeat is due. */
  async cut(heartbeat: boolean): Promise<Tick | null> {
    if (this.quiet && !heartbeat && !(await this.store.hasMoved())) return null;
    const cut = await this.store.openCut();
    let open = true;
    try {
      const tick = await this.tickOf(cut);
      this.quiet = tick.changes.length === 0;
      if (tick.changes.length === 0 && !heartbeat) return null;
      open = false;
      await cut.commit(tick);
      return tick;
    } finally {
      if (open) await cut.abandon();
    }
  }

  private async tickOf(cut: Cut): Promise<Tick> {
    const changes = foldChanges(await cut.changes(), cut.folding);
    return { ...cut.header, changes, digest: tickDigest({ ...cut.header, changes }, this.digest) };
  }
}
