import type { ChangeOp, Values } from '../change/change.js';
import type { RegionId, RowKey, TableName } from '../ids.js';

/** PostgreSQL's own names where it has one (interfaces.md). */
export type ConflictKind =
  | 'insert_exists'
  | 'update_origin_differs'
  | 'update_exists'
  | 'update_deleted'
  | 'delete_origin_differs'
  | 'multiple_unique_conflicts'
  | 'foreign_key_missing'
  | 'check_violated';

/** One of the concurrent changes, as the record shows it. */
export interface ConflictVersion {
  readonly origin: RegionId;
  readonly id: number;
  readonly op: ChangeOp;
  /** Decimal text: a stamp exceeds what JSON numbers hold. */
  readonly stamp: string;
  /** ISO 8601, UTC. */
  readonly wall: string;
  readonly actor: string;
  /** The program it was written with; null: not known. */
  readonly application: string | null;
  /**
   * How far the clock of its region was ahead of the recording one's when that recorded it, in milliseconds; null: not known. It tells
   * how much stamps mean, and decides nothing. Absent where a version is not of a record.
   */
  readonly clockOffsetMs?: number | null;
  readonly values: Values;
}

/** One register of the overwritten change, and what became of it; no columns: the row's existence. */
export interface Overwritten {
  readonly columns: readonly string[];
  /** Of a value that is merged part by part, the keys down to this one; null: the whole. */
  readonly part: readonly string[] | null;
  readonly policy: string;
  /** With which that policy came, by the table's revisions. */
  readonly epoch: number;
  readonly winner: { readonly origin: RegionId; readonly id: number };
  readonly lost: Values;
  readonly result: Values | null;
  readonly reason: string;
}

/**
 * What became of one overwritten change: recorded once for the cluster, by the region where it was written, and
 * replicated as a row of `meridian.conflict`. The record follows when a later arrival changes the winner, and is
 * withdrawn when the overwritten change comes back.
 */
export interface ConflictRecord {
  /** Hash of table, key and the overwritten change. */
  readonly id: string;
  readonly table: TableName;
  readonly key: RowKey;
  readonly kind: ConflictKind;
  readonly region: RegionId;
  readonly status: 'open' | 'withdrawn' | 'resolved';
  readonly loser: ConflictVersion;
  readonly versions: readonly ConflictVersion[];
  readonly base: Values | null;
  readonly overwritten: readonly Overwritten[];
  /** The row after the decision; null: it does not exist. */
  readonly result: Values | null;
  readonly reason: string;
}
