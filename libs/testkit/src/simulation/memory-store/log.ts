import {
  at,
  type Change,
  distinctRows,
  type JsonText,
  type RowRef,
  rowId,
  type Seq,
  type TableName,
  type Vector,
} from '@meridian/core';
import type { Xid } from './snapshot.js';

/** A row of the log. What comes to be known later (its tick, the image of a delete) is not part of the change. */
export interface LogRow {
  /** From the region's sequence, taken while the row is locked. */
  readonly logId: number;
  readonly xid: Xid;
  readonly change: Change;
  /** Of the tick that carries it; null while it is in none. PostgreSQL derives it from xid and the ticks' snapshots. */
  seq: Seq | null;
  /** As its tick shipped it. */
  unseen: Vector | null;
  /** Deletes: the newest image of the row. The change's own `before` stays as it was written, for ticks are made again from it. */
  image: JsonText | null;
}

export const remoteRow = (logId: number, xid: Xid, change: Change, seq: Seq): LogRow => ({
  ...{ logId, xid, change, seq, unseen: change.unseen },
  image: change.op === 'delete' ? change.before : null,
});

/** The committed log, in partitions by range of id as PostgreSQL's. */
export class Log {
  private readonly byId = new Map<number, LogRow>();
  private readonly waiting = new Set<LogRow>();
  private readonly byRow = new Map<string, LogRow[]>();

  add(rows: readonly LogRow[]): void {
    for (const row of rows) {
      this.byId.set(row.logId, row);
      if (row.seq === null) this.waiting.add(row);
      const id = rowId(row.change);
      const tail = this.byRow.get(id);
      if (tail === undefined) this.byRow.set(id, [row]);
      else tail.push(row);
    }
  }

  get size(): number {
    return this.byId.size;
  }

  /** Changes of this region's own that are in no tick yet, in the order of writing. */
  get uncut(): LogRow[] {
    return [...this.waiting].sort((a, b) => a.logId - b.logId);
  }

  get hasUncut(): boolean {
    return this.waiting.size > 0;
  }

  ship(row: LogRow, seq: Seq, unseen: Vector | null): void {
    row.seq = seq;
    row.unseen = unseen;
    this.waiting.delete(row);
  }

  all(): LogRow[] {
    return [...this.byId.values()].sort((a, b) => a.logId - b.logId);
  }

  /** Rows of these tables that a change above the floor deletes. */
  deletedAbove(tables: readonly TableName[], floor: Vector): RowRef[] {
    const deletes = this.all()
      .filter(({ change }) => change.op === 'delete' && tables.includes(change.table))
      .filter(({ change, seq }) => seq === null || seq > at(floor, change.origin));
    return distinctRows(deletes.map(({ change: { table, key } }) => ({ table, key })));
  }

  of(ref: RowRef): readonly LogRow[] {
    return this.byRow.get(rowId(ref)) ?? [];
  }

  drop(row: LogRow): void {
    this.byId.delete(row.logId);
    const id = rowId(row.change);
    const left = (this.byRow.get(id) ?? []).filter((other) => other !== row);
    if (left.length === 0) this.byRow.delete(id);
    else this.byRow.set(id, left);
  }
}
