import {
  addDecimals,
  type Change,
  type ChangeOp,
  changeId,
  type ForeignKey,
  type JsonText,
  negateDecimal,
  type OwnChange,
  type RowRef,
  type Stamp,
  type TableSpec,
  type Values,
} from '@meridian/core';
import { keyOf, type MemoryDatabase, textOf } from './database.js';
import type { LogRow } from './log.js';
import type { Xid } from './snapshot.js';

/** What the capture triggers write for one statement: one stamp and one reading of the wall clock for all its rows (design 3). */
export class Capture {
  private readonly stamp: Stamp;
  private readonly wall: bigint;

  constructor(
    private readonly db: MemoryDatabase,
    private readonly xid: Xid,
    private readonly actor: string,
  ) {
    this.stamp = db.nextStamp();
    this.wall = BigInt(Math.round(db.wall()));
  }

  insert(ref: RowRef, values: Values): LogRow {
    return this.entry(ref, 'insert', textOf(values), null);
  }

  update(ref: RowRef, patch: Patch): LogRow {
    return this.entry(ref, 'update', textOf(patch.patch), textOf(patch.before));
  }

  delete(ref: RowRef, values: Values): LogRow {
    return this.entry(ref, 'delete', null, textOf(values));
  }

  /** A child refers to this parent: it must exist (design 6). */
  touch(ref: RowRef): LogRow {
    return this.entry(ref, 'update', textOf({}), textOf({}));
  }

  /** What Meridian itself does to a row. */
  own({ ref, op, patch, before }: OwnChange): LogRow {
    return this.entry(ref, op, patch, before);
  }

  private entry(ref: RowRef, op: ChangeOp, patch: JsonText | null, before: JsonText | null): LogRow {
    const logId = this.db.nextLogId();
    const change: Change = {
      origin: this.db.region,
      seq: null,
      id: changeId(logId),
      table: ref.table,
      key: ref.key,
      op,
      stamp: this.stamp,
      wall: this.wall,
      epoch: this.db.epochsOf(ref.table).present!,
      actor: this.actor,
      patch,
      before,
      ranks: null,
      unseen: null,
    };
    return { logId, xid: this.xid, change, seq: null, unseen: null, image: op === 'delete' ? before : null };
  }
}

export interface Patch {
  readonly patch: Values;
  readonly before: Values;
}

/** The columns that differ; counters as differences; a group whole as soon as one of its columns does. Null: nothing changed. */
export function patchBetween(spec: TableSpec, before: Values, after: Values): Patch | null {
  const patch: Record<string, string | null> = {};
  const old: Record<string, string | null> = {};
  for (const register of spec.registers) {
    if (register.columns.every((column) => before[column] === after[column])) continue;
    for (const column of register.columns) {
      patch[column] = after[column] ?? null;
      old[column] = before[column] ?? null;
    }
  }
  for (const column of spec.counters) {
    if (before[column] === after[column]) continue;
    patch[column] = addDecimals(after[column] ?? '0', negateDecimal(before[column] ?? '0'));
    old[column] = before[column] ?? null;
  }
  return Object.keys(patch).length === 0 ? null : { patch, before: old };
}

/** The parent that a row refers to by this foreign key; null when one of its columns is NULL. */
export function parentOf(db: MemoryDatabase, key: ForeignKey, values: Values): RowRef | null {
  const named: Record<string, string | null> = {};
  for (const [i, column] of key.columns.entries()) {
    const value = values[column] ?? null;
    if (value === null) return null;
    named[key.parentColumns[i]!] = value;
  }
  return { table: key.parent, key: keyOf(db.spec(key.parent), named) };
}
