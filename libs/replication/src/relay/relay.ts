import {
  type ApplyStore,
  type CountersOf,
  type Cut,
  type Digest,
  type Tick,
  type TickStore,
  foldChanges,
  tickDigest,
} from '@meridian/core';

/**
 * Cuts the log into ticks (design 4). The tick's row is committed before the tick is published; a crash in between publishes
 * the same content again, for it follows from the two snapshots.
 */
export class Relay {
  constructor(
    private readonly store: TickStore,
    private readonly digest: Digest,
    private readonly countersOf: () => Promise<CountersOf>,
  ) {}

  /** The next tick, or null when there is nothing to ship and no heartbeat is due. */
  async cut(heartbeat: boolean): Promise<Tick | null> {
    const countersOf = await this.countersOf();
    const cut = await this.store.openCut();
    let open = true;
    try {
      const tick = await this.tickOf(cut, countersOf);
      if (tick.changes.length === 0 && !heartbeat) return null;
      open = false;
      await cut.commit(tick);
      return tick;
    } finally {
      if (open) await cut.abandon();
    }
  }

  private async tickOf(cut: Cut, countersOf: CountersOf): Promise<Tick> {
    const changes = foldChanges(await cut.changes(), countersOf);
    return { ...cut.header, changes, digest: tickDigest({ ...cut.header, changes }, this.digest) };
  }
}

/** As the enrolled tables are now. */
export async function countersOf(apply: ApplyStore): Promise<CountersOf> {
  const tables = await apply.tables();
  return (table) => new Set(tables.get(table)?.counters ?? []);
}
