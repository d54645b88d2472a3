import type { ParkReason, RowState } from '../ports/apply-store.js';
import type { RowConflict } from '../ports/row-log.js';
import type { RegionId } from '../ids.js';
import type { ConflictVersion } from './record.js';

/** Why a row is as it is: its existence, and each of its columns. */
export interface RowExplanation {
  /** It shows in its table. */
  readonly exists: boolean;
  readonly place: RowState['place'] | null;
  readonly parked: ParkReason | null;
  readonly existence: Explanation;
  /** Of a row that is not there: none. */
  readonly columns: readonly ColumnExplanation[];
  /** Changes of it that the log has, and the table here cannot take yet. */
  readonly waiting: number;
  readonly conflicts: readonly RowConflict[];
}

export interface Explanation {
  /** Null: it is older than what the log tells. */
  readonly change: ChangeSource | null;
  /** The changes that it was decided against: neither had seen the other. */
  readonly beat: readonly Beaten[];
  /** One plain sentence. */
  readonly reason: string;
  /** Open conflict records that tell of it, also of what the log has forgotten. */
  readonly conflicts: readonly string[];
}

/** The write itself: one that was folded into a later one of its tick keeps its own stamp. */
export type ChangeSource = Pick<ConflictVersion, 'origin' | 'id' | 'stamp' | 'wall' | 'actor' | 'application'>;

export interface Beaten extends ConflictVersion {
  readonly reason: string;
}

export interface ColumnExplanation extends Explanation {
  readonly column: string;
  /** The columns that are decided as one with it. */
  readonly group: readonly string[];
  readonly value: string | null;
  /** Of a counter; null: it is none. */
  readonly sums: CounterSums | null;
}

export interface CounterSums {
  readonly increments: readonly { readonly origin: RegionId; readonly sum: string; readonly changes: number }[];
  /** What it began with, or what is older than the log's increments. */
  readonly rest: string;
}
