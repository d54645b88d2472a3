import {
  type Change,
  changeRef,
  type Entry,
  type RegionId,
  type RowRef,
  rowId,
  type Seq,
  type TableName,
  type Tick,
  type Values,
} from '@meridian/core';
import type { Commit, MemoryDatabase } from '../memory-store/index.js';
import { Violation } from './violation.js';

/**
 * Everything that was acknowledged anywhere, unfolded and never forgotten, with what its tick says of who had seen what. The
 * obviously right, slow twin of the log.
 */
export class Ledger {
  private readonly rows = new Map<string, { readonly ref: RowRef; readonly changes: Map<string, Change> }>();
  private readonly entries = new Map<string, Entry>();
  private readonly ticks = new Map<string, Tick>();
  private readonly bases = new Map<string, Values>();
  /** Per origin, by seq: the last tick that was not empty. Heartbeats change no table. */
  private readonly lastFull = new Map<RegionId, Seq[]>();
  private waiting = 0;

  watch(db: MemoryDatabase): void {
    db.observe((commit) => {
      if (commit.kind === 'cut') this.cut(commit.changes, commit.ticks[0]!);
      else this.write(db, commit);
    });
  }

  /** Local changes that are in no tick yet, in all regions. */
  get uncut(): number {
    return this.waiting;
  }

  /** Rows with their versions, and what all regions took for equal before there were any. */
  get touched(): { readonly ref: RowRef; readonly versions: readonly Entry[]; readonly base: Values | null }[] {
    return [...this.rows.values()].map(({ ref, changes }) => ({
      ref,
      versions: [...changes.keys()].flatMap((name) => this.entries.get(name) ?? []),
      base: this.bases.get(rowId(ref)) ?? null,
    }));
  }

  /** All regions begin with these rows of the table: what was written to it before counts no more. */
  begin(table: TableName, rows: ReadonlyMap<string, Values>): void {
    for (const [id, { ref }] of this.rows) if (ref.table === table) this.rows.delete(id);
    for (const id of this.bases.keys()) if (id.startsWith(`${table}\n`)) this.bases.delete(id);
    for (const [id, values] of rows) this.bases.set(id, values);
  }

  /** The last seq at or below this one that changed anything. */
  contentSeq(origin: RegionId, seq: Seq): Seq {
    return this.lastFull.get(origin)?.[seq] ?? (0 as Seq);
  }

  private write(db: MemoryDatabase, commit: Commit): void {
    for (const change of commit.changes) {
      if (change.origin !== db.region) continue;
      const row = this.rows.get(rowId(change)) ?? { ref: { table: change.table, key: change.key }, changes: new Map() };
      row.changes.set(changeRef(change), change);
      this.rows.set(rowId(change), row);
      this.waiting++;
    }
    for (const tick of commit.ticks) this.sameContent(tick);
  }

  private cut(taken: readonly Change[], tick: Tick): void {
    this.sameContent(tick);
    for (const change of taken) this.entries.set(changeRef(change), { ...change, deps: tick.deps });
    this.waiting -= taken.length;
    const full = this.lastFull.get(tick.origin) ?? [0 as Seq];
    full[tick.seq] = taken.length > 0 ? tick.seq : full[tick.seq - 1]!;
    this.lastFull.set(tick.origin, full);
  }

  private sameContent(tick: Tick): void {
    const name = `${tick.origin}/${tick.seq}`;
    const known = this.ticks.get(name);
    if (known !== undefined && known.digest !== tick.digest)
      throw new Violation('I5', `tick ${name} has two contents, ${known.digest} and ${tick.digest}`);
    this.ticks.set(name, tick);
  }
}
