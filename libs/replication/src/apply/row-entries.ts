import {
  type Entry,
  type Race,
  type RegionId,
  type TableSpec,
  at,
  compareWritten,
  covers,
  mergedColumns,
  patchOf,
  withSeq,
} from '@meridian/core';

/**
 * The log's entries of one row that a batch may contend with, and of the batch what was taken already.
 *
 * What a change covers of another origin is a prefix of that origin's log: so of each origin only the last writer of each
 * register can be a version, and the last entry for the row's existence. Looking at no more keeps a hot row linear: 400
 * arriving increments against the 5,000 of a region that had been down took minutes pair by pair (seen).
 */
export class RowEntries {
  private readonly byOrigin = new Map<RegionId, OriginEntries>();
  private readonly raced = new Set<RegionId>();
  readonly races: Race[] = [];
  private readonly merged: readonly string[];

  constructor(
    private readonly spec: TableSpec,
    entries: readonly Entry[],
  ) {
    this.merged = [spec, ...(spec.earlier ?? [])].flatMap(mergedColumns);
    for (const entry of [...entries].sort(compareWritten)) this.push(entry);
  }

  push(entry: Entry): void {
    let own = this.byOrigin.get(entry.origin);
    if (own === undefined) this.byOrigin.set(entry.origin, (own = new OriginEntries(this.spec)));
    own.push(entry);
  }

  /** What `change` is to be decided among: nothing, when it covers all entries. */
  uncoveredBy(change: Entry): readonly Entry[] {
    this.race(change);
    const all = this.countsAll(change);
    return [...this.byOrigin.values()].flatMap((own) => (all ? own.uncoveredBy(change) : own.versionsBeside(change)));
  }

  /** Of each origin the last that writes these columns, of what `change` covers. */
  writersSeenBy(change: Entry, columns: readonly string[]): readonly Entry[] {
    return [...this.byOrigin.values()].flatMap((own) => own.writerSeenBy(change, columns) ?? []);
  }

  /** All that is known of the row here. */
  get all(): readonly Entry[] {
    return [...this.byOrigin.values()].flatMap((own) => own.all);
  }

  /** An insert starts counters anew, by every difference that it has not seen; and of a merged column all writes count. */
  private countsAll(change: Entry): boolean {
    if (change.op === 'insert' && this.spec.counters.length > 0) return true;
    if (this.merged.length === 0) return false;
    const written = patchOf(change);
    return this.merged.some((column) => Object.hasOwn(written, column));
  }

  /**
   * Local changes in no tick yet are concurrent with every remote one: the next tick's deps would claim that they had seen it.
   * Recorded, and from here on they count as not having seen it nor what its origin wrote after it (design 5, the race).
   */
  private race(change: Entry): void {
    if (this.raced.has(change.origin)) return;
    this.raced.add(change.origin);
    for (const own of this.byOrigin.values())
      own.mark((local) => {
        const known = local.unseen ?? {};
        if (Object.hasOwn(known, change.origin) && at(known, change.origin) <= change.seq!) return local;
        this.races.push({ change: local.id, origin: change.origin, seq: change.seq! });
        return { ...local, unseen: withSeq(known, change.origin, change.seq!) };
      });
  }
}

/** In the order of writing. */
class OriginEntries {
  private readonly entries: Entry[] = [];
  /** By register: where the last entry is that writes it. */
  private readonly lastWriters: number[];

  private readonly registers: readonly (readonly string[])[];

  /** Under another policy other columns may be groups: then each column counts by itself. */
  constructor({ registers, earlier = [] }: TableSpec) {
    const columns = registers.map((r) => r.columns);
    this.registers = earlier.length === 0 ? columns : columns.flat().map((column) => [column]);
    this.lastWriters = this.registers.map(() => -1);
  }

  get all(): readonly Entry[] {
    return this.entries;
  }

  push(entry: Entry): void {
    this.entries.push(entry);
    const written = patchOf(entry);
    for (const [i, columns] of this.registers.entries())
      if (columns.some((c) => Object.hasOwn(written, c))) this.lastWriters[i] = this.entries.length - 1;
  }

  mark(unseen: (local: Entry) => Entry): void {
    for (const [i, e] of this.entries.entries()) if (e.deps === null) this.entries[i] = unseen(e);
  }

  uncoveredBy(change: Entry): readonly Entry[] {
    return this.entries.slice(this.firstUncovered(change));
  }

  writerSeenBy(change: Entry, columns: readonly string[]): Entry | undefined {
    for (let i = this.firstUncovered(change) - 1; i >= 0; i--)
      if (columns.some((c) => Object.hasOwn(patchOf(this.entries[i]!), c))) return this.entries[i];
    return undefined;
  }

  versionsBeside(change: Entry): readonly Entry[] {
    const first = this.firstUncovered(change);
    const places = new Set([...this.lastWriters, this.entries.length - 1].filter((place) => place >= first));
    return [...places].map((place) => this.entries[place]!);
  }

  private firstUncovered(change: Entry): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (covers(change, this.entries[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
