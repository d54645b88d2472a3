import type { Entry } from '../causality/coverage.js';
import type { Values } from '../change/change.js';
import type { ConflictRecord, ConflictVersion, Overwritten } from '../conflict/record.js';
import type { ChangeId, RegionId, RowKey, Seq, TableName } from '../ids.js';
import type { TableSpec } from '../policy/table-policy.js';
import type { ParkReason, RowState } from './apply-store.js';

/** What a region knows of one row: all of one answer is of one moment. */
export interface RowLog {
  /** `key`: the primary key's values as text. Null: nothing at all is known of such a row here. */
  history(table: TableName, key: readonly string[], page: HistoryPage): Promise<RowHistory | null>;
  standing(table: TableName, key: readonly string[]): Promise<RowStanding | null>;
  /** Null: the row is not there. */
  siblings(table: TableName, key: readonly string[]): Promise<RowSiblings | null>;
  /** Of a column with the policy `text`. Null: the row is not there. */
  text(table: TableName, key: readonly string[], column: string): Promise<RowText | null>;
  /** What such a column had once. Null: the log does not tell, or no longer. */
  textAt(table: TableName, key: readonly string[], column: string, at: TextPlace): Promise<string | null>;
}

export interface RowText {
  readonly value: string | null;
  /** The changes that made it, of each origin the last that no other one had seen: with them a merged text can be made again. */
  readonly heads: readonly ChangeName[];
}

export interface TextPlace {
  /** SHA-256 of the text, lower-case hex; of NULL that of no characters. */
  readonly digest: string;
  readonly heads: readonly ChangeName[];
}

/** A change of a row, as the log here has it. */
export interface RowVersion {
  readonly entry: Entry;
  /** Of its tick; null: it is in none yet, or (not traced) in one that is forgotten. */
  readonly seq: Seq | null;
  /** Its tick is still kept, so that what its writer had seen is known. False: every region has had it for long. */
  readonly traced: boolean;
  /** In the log only: the table here cannot take it yet. */
  readonly waiting: boolean;
}

export interface HistoryPage {
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface RowHistory {
  readonly key: RowKey;
  /** Newest first. */
  readonly items: readonly HistoryItem[];
  readonly next: string | null;
  readonly reach: LogReach;
}

export interface HistoryItem extends ConflictVersion {
  readonly seq: Seq | null;
  /** What it wrote over; null: it inserted the row. */
  readonly before: Values | null;
  /** Of `values`, the columns that hold a difference. */
  readonly increments: readonly string[];
  readonly traced: boolean;
  readonly waiting: boolean;
  /** Had its writer seen the version before it, which is the next item? Null: there is none, or it is not known. */
  readonly sees: boolean | null;
  /** Versions of which neither had seen the other; the newest of them when there are many. */
  readonly concurrentWith: readonly ChangeName[];
  readonly concurrentTotal: number;
}

export interface ChangeName {
  readonly origin: RegionId;
  readonly id: ChangeId;
}

/** How far back the log tells of a row. */
export interface LogReach {
  /** The insert of the row is in it. */
  readonly complete: boolean;
  /** ISO 8601, of the oldest change of any row; null: the log is empty. */
  readonly since: string | null;
  /** Does the log hold all since Meridian was set up here? */
  readonly dropped: boolean;
}

export interface RowSiblings {
  readonly key: RowKey;
  /** Those that have any. */
  readonly registers: readonly {
    readonly columns: readonly string[];
    readonly shown: Values;
    readonly siblings: readonly Sibling[];
  }[];
}

/** A value that stands beside the one that shows. */
export interface Sibling extends Omit<ConflictVersion, 'op'> {
  /** Id of the open record that keeps it. */
  readonly conflict: string;
}

/** A row with all that says why it is as it is. */
export interface RowStanding {
  readonly spec: TableSpec;
  readonly key: RowKey;
  /** Null: it does not exist. */
  readonly row: RowState | null;
  /** Why it is parked, when it is. */
  readonly parked: ParkReason | null;
  /**
   * Oldest first, in the table's present columns. Values are those of the changes that {@link decidingVersions} names, and of
   * counters; of the others the columns' names alone.
   */
  readonly versions: readonly RowVersion[];
  /** No version of the row in the log was left out of `versions` for their number. */
  readonly all: boolean;
  readonly reach: LogReach;
  /** Open records of the row, newest first. */
  readonly conflicts: readonly RowConflict[];
}

export type RowConflict = Pick<ConflictRecord, 'id' | 'kind' | 'region' | 'reason'> & {
  readonly loser: ChangeName;
  /** Registers in which the change was overwritten; an empty one is the row's existence. */
  readonly overwritten: readonly (readonly string[])[];
  /** Why, of each of them. */
  readonly reasons: readonly Pick<Overwritten, 'columns' | 'reason'>[];
};
