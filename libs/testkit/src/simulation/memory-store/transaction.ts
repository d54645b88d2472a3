import { type RowRef, rowId, type Tick, type UniqueKey, type Values } from '@meridian/core';
import type { Agent, Micros } from '../scheduler.js';
import type { Commit, MemoryDatabase, ParkedRow, StoredRow } from './database.js';
import type { LockMode, LockOwner } from './locks.js';
import type { LogRow } from './log.js';
import type { Xid } from './snapshot.js';

interface Writes {
  readonly rows: Map<string, { readonly ref: RowRef; readonly row: StoredRow | null }>;
  readonly parked: Map<string, ParkedRow | null>;
  readonly log: LogRow[];
  /** Writes to Meridian's own tables that nothing in the transaction reads back. */
  readonly others: (() => void)[];
}

const copyOf = (writes: Writes): Writes => ({
  rows: new Map(writes.rows),
  parked: new Map(writes.parked),
  log: [...writes.log],
  others: [...writes.others],
});

export type Taken =
  | { readonly taken: true }
  | { readonly taken: false; readonly because: 'violation' | 'timeout'; readonly detail: string };

const TAKEN: Taken = { taken: true };

/**
 * What writers and apply have in common: private writes over the committed state, locks until the end, a number taken at
 * the first write. A killed owner's transaction is rolled back, as PostgreSQL does when the connection breaks.
 */
export class Transaction implements LockOwner {
  xid: Xid | null = null;
  protected writes: Writes = { rows: new Map(), parked: new Map(), log: [], others: [] };
  private open = true;

  constructor(
    readonly db: MemoryDatabase,
    readonly agent: Agent,
    readonly lockTimeout: Micros,
  ) {
    db.running.add(this);
    agent.whenKilled(() => this.end());
  }

  row(ref: RowRef): StoredRow | null {
    const own = this.writes.rows.get(rowId(ref));
    return own === undefined ? this.db.row(ref) : own.row;
  }

  parkedRow(ref: RowRef): ParkedRow | null {
    const own = this.writes.parked.get(rowId(ref));
    return own === undefined ? this.db.parkedOf(ref) : own;
  }

  /** Rows of a table as this transaction sees them. */
  visibleRows(table: RowRef['table']): { readonly ref: RowRef; readonly row: StoredRow }[] {
    const out: { readonly ref: RowRef; readonly row: StoredRow }[] = [];
    for (const [key, row] of this.db.rows(table))
      if (!this.writes.rows.has(rowId({ table, key }))) out.push({ ref: { table, key }, row });
    for (const { ref, row } of this.writes.rows.values())
      if (row !== null && ref.table === table) out.push({ ref, row });
    return out;
  }

  allParked(): ParkedRow[] {
    const out = this.db.allParked().filter(({ ref }) => !this.writes.parked.has(rowId(ref)));
    for (const own of this.writes.parked.values()) if (own !== null) out.push(own);
    return out.sort((a, b) => (rowId(a.ref) < rowId(b.ref) ? -1 : 1));
  }

  get privateLog(): readonly LogRow[] {
    return this.writes.log;
  }

  protected writing(): Xid {
    return (this.xid ??= this.db.nextXid());
  }

  protected putRow(ref: RowRef, row: StoredRow | null): void {
    this.writing();
    this.writes.rows.set(rowId(ref), { ref, row });
  }

  protected putParked(ref: RowRef, row: ParkedRow | null): void {
    this.writing();
    this.writes.parked.set(rowId(ref), row);
  }

  protected lockRow(ref: RowRef, mode: LockMode): Promise<'held' | 'timeout'> {
    return this.db.locks.acquire(this, `row ${rowId(ref)}`, mode);
  }

  /**
   * A place in a unique index: waits for whoever inserted or deleted that value and has not ended, then fails if a visible
   * row holds it. `self` is the row that claims it, which may hold the value already.
   */
  protected async claim(key: UniqueKey | 'primary', self: RowRef, values: Values): Promise<Taken> {
    const name = claimName(key, self, values);
    if (name === null) return TAKEN;
    const had = this.db.locks.holds(this, name);
    if ((await this.db.locks.acquire(this, name)) === 'timeout')
      return { taken: false, because: 'timeout', detail: name };
    const holder = key === 'primary' ? this.row(self) : this.holderOf(key, self, values);
    if (holder === null) return TAKEN;
    if (!had) this.db.locks.release(this, name);
    return { taken: false, because: 'violation', detail: name };
  }

  /** A delete, or an update that moves a unique value: others who want the value wait until this transaction ends. */
  protected async vacate(key: UniqueKey | 'primary', self: RowRef, values: Values): Promise<'held' | 'timeout'> {
    const name = claimName(key, self, values);
    return name === null ? 'held' : this.db.locks.acquire(this, name);
  }

  private holderOf(key: UniqueKey, self: RowRef, values: Values): StoredRow | null {
    const same = this.visibleRows(self.table).find(
      ({ ref, row }) => ref.key !== self.key && key.columns.every((column) => row.values[column] === values[column]),
    );
    return same?.row ?? null;
  }

  protected save(): () => void {
    const saved = copyOf(this.writes);
    return () => {
      this.writes = copyOf(saved);
    };
  }

  /** Everything becomes visible at once; locks are given back. */
  protected makeVisible(kind: Commit['kind'], ticks: readonly Tick[]): void {
    if (!this.open) return;
    const { db, writes } = this;
    for (const { ref, row } of writes.rows.values()) db.put(ref, row);
    for (const [id, parked] of writes.parked) {
      if (parked === null) db.parked.delete(id);
      else db.parked.set(id, parked);
    }
    db.log.add(writes.log);
    for (const other of writes.others) other();
    this.end();
    db.announce({
      kind,
      rows: [...writes.rows.values()].map(({ ref }) => ref),
      changes: writes.log.map((row) => row.change),
      ticks,
    });
  }

  protected end(): void {
    if (!this.open) return;
    this.open = false;
    this.db.running.delete(this);
    this.db.locks.releaseAll(this);
  }
}

/** Rows with a NULL claim nothing. */
function claimName(key: UniqueKey | 'primary', self: RowRef, values: Values): string | null {
  if (key === 'primary') return `key ${rowId(self)}`;
  if (key.nullsDistinct && key.columns.some((column) => values[column] === null)) return null;
  return `unique ${self.table} ${key.name} ${JSON.stringify(key.columns.map((column) => values[column]))}`;
}
