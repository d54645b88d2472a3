import type { ChangeId, JsonText, RegionId, RowKey, Seq, TableName } from '../ids.js';
import type { Stamp } from '../stamp.js';
import type { Vector } from '../vector.js';

export type ChangeOp = 'insert' | 'update' | 'delete';

/**
 * One row's insert, update or delete in one origin transaction, as the log keeps it and a tick carries it.
 *
 * Values are PostgreSQL's own text output inside JSON text (`{"qty": "5", "note": null}`), never numbers or dates. For a
 * `counter` column the value in an update's `patch` is the *difference*, in an insert's the value it starts with.
 * An update with an empty patch is a *touch*: it says only that the row must exist (a child refers to it).
 */
export interface Change {
  readonly origin: RegionId;
  /** The tick that carries it; null for a local change that is in no tick yet. */
  readonly seq: Seq | null;
  readonly id: ChangeId;
  readonly table: TableName;
  readonly key: RowKey;
  readonly op: ChangeOp;
  readonly stamp: Stamp;
  /** The origin's wall clock (or the table's lww column) in microseconds since 1970. */
  readonly wall: bigint;
  /** Epoch of the table's policy when it was written. */
  readonly epoch: number;
  /** Who wrote it and with which program, in one text: see {@link writerOf}. */
  readonly actor: string;
  /** insert: the whole row; update: the changed columns (granularity row: the whole row); delete: null, or {} of a {@link isMove}. */
  readonly patch: JsonText | null;
  /** update: the old values of what changed; delete: the whole old row; insert: null. */
  readonly before: JsonText | null;
  /** Columns whose write has a rank of its own: folded updates, and lww by a column. Absent columns rank as the change. */
  readonly ranks: Ranks | null;
  /** {origin: first seq not seen}: what the deps of this change's tick cover but its writer had not seen (the race, design 5). */
  readonly unseen: Vector | null;
}

/** Where a version stands among concurrent ones; compared by the policy, see `policy/rank.ts`. */
export interface Rank {
  readonly stamp: Stamp;
  readonly wall: bigint;
  readonly id: ChangeId;
}
export type Ranks = { readonly [column: string]: Rank };

/** Column → text output, or null for SQL's NULL. Read with Object.hasOwn: a column may be called `__proto__`. */
export type Values = { readonly [column: string]: string | null };

export const parseValues = (text: JsonText): Values => JSON.parse(text) as Values;
export const valuesText = (values: Values): JsonText => JSON.stringify(values) as JsonText;
export const NO_VALUES = '{}' as JsonText;

/** NULL also where there is no such column. */
export const valueIn = (values: Values, column: string): string | null =>
  Object.hasOwn(values, column) ? (values[column] ?? null) : null;

/** As far as they are there. */
export const onlyColumns = (values: Values, columns: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([column]) => columns.includes(column)));

export const patchOf = (change: Change): Values => (change.patch === null ? {} : parseValues(change.patch));
export const beforeOf = (change: Change): Values => (change.before === null ? {} : parseValues(change.before));

/** A child refers to this row: an update without columns, in the row's existence alone. */
export const isTouch = (change: Change): boolean => change.op === 'update' && Object.keys(patchOf(change)).length === 0;

/** The row went on under another key: an update of the old one beside it must not leave it there twice (design 6). */
export const isMove = (change: Change): boolean => change.op === 'delete' && change.patch !== null;

export const rankOf = (change: Change, column?: string): Rank =>
  column !== undefined && change.ranks !== null && Object.hasOwn(change.ranks, column)
    ? change.ranks[column]!
    : { stamp: change.stamp, wall: change.wall, id: change.id };

/** A change's name for ever: no two changes of one origin share an id. */
export const changeRef = (change: Pick<Change, 'origin' | 'id'>): string => `${change.origin}/${change.id}`;
