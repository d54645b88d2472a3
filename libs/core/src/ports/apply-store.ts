import type { Entry } from '../causality/coverage.js';
import type { Change, Values } from '../change/change.js';
import type { Merge } from '../conflict/merge-count.js';
import type { ConflictRecord } from '../conflict/record.js';
import type { ChangeId, JsonText, RegionId, RowRef, Seq, TableName } from '../ids.js';
import type { Tick } from '../tick/tick.js';
import type { Enrolments } from '../policy/enrolments.js';
import type { Vector } from '../vector.js';

/**
 * A region's database as apply needs it (design 5). Two adapters: PostgreSQL, and the memory store of the simulation;
 * one contract suite runs on both. Every method is one step at which other transactions may run in between.
 */
export interface ApplyStore {
  readonly region: RegionId;
  /** The last tick applied of every origin known here; the own entry is the last tick cut. */
  heads(): Promise<ReadonlyMap<RegionId, Head>>;
  /** As they are now; what follows decides by what was read here last. */
  enrolments(): Promise<Enrolments>;
  /** Tables with waiting changes: later ones of them have to wait behind these. */
  waitingTables(): Promise<ReadonlySet<TableName>>;
  begin(): Promise<ApplyTransaction>;
}

/** Where an origin's stream stands in this region. The applied vector is their seqs ({@link vectorOf}). */
export interface Head {
  readonly seq: Seq;
  /** Of that tick: the next one names it as its predecessor. */
  readonly digest: string;
  /** Where the transport goes on after it (a Kafka offset). */
  readonly position: string | null;
}

export const vectorOf = (heads: ReadonlyMap<RegionId, Head>): Vector =>
  Object.fromEntries([...heads].map(([origin, head]) => [origin, head.seq]));

/** A virtual row: a row that exists by its own versions, whether it shows in the table or is parked. */
export interface RowState {
  readonly ref: RowRef;
  /** Where it is now. */
  readonly place: 'table' | 'parked';
  /** The whole row, key columns included, as text output. Counters are full sums, which may be beyond what the table shows. */
  readonly values: Values;
}

export interface OpenSiblings {
  readonly records: readonly ConflictRecord[];
  /** The last own seq whose changes the log may have forgotten. */
  readonly forgotten: Seq;
}

export type RowEffect = RowRef &
  (
    | { readonly kind: 'insert'; readonly values: JsonText }
    /** Named columns only. `counters: 'add'`: counter columns hold differences (fast path); 'set': the value itself. */
    | { readonly kind: 'update'; readonly values: JsonText; readonly counters: 'add' | 'set' }
    | { readonly kind: 'delete' }
    /** Delete, then insert the whole row: deleted and inserted anew in one batch, or a unique key that moves. */
    | { readonly kind: 'replace'; readonly values: JsonText }
    /** Take the row out of the table (if it is there) and keep it, or keep its new values, among the parked. */
    | { readonly kind: 'park'; readonly values: JsonText; readonly claims: JsonText; readonly because: ParkReason }
    /** Forget the parked entry (the row was deleted, or an insert/replace of the same batch shows it again). */
    | { readonly kind: 'unpark' }
    /** Show as much of its counters' full sums as their types hold. */
    | { readonly kind: 'settle' }
  );

export interface ParkReason {
  readonly kind: 'unique_key' | 'foreign_key';
  /** Name of the constraint. */
  readonly constraint: string;
  /** The row that holds the key, or the missing parent. */
  readonly other: RowRef;
  /** Further unique keys that the row has lost, to these rows. */
  readonly also?: readonly { readonly constraint: string; readonly other: RowRef }[];
}

/** A change that Meridian makes of a row by itself, to carry out what a policy says of a loser. */
export interface OwnChange {
  readonly ref: RowRef;
  readonly op: 'update' | 'delete';
  /** Of an update: the registers that it changes, whole. */
  readonly patch: JsonText | null;
  /** Their old values; of a delete the whole row. */
  readonly before: JsonText;
  /** As of the column by which the table's latest value is told; null: of the clock. */
  readonly wall: bigint | null;
}

/** The rank of the write that set a unique key: the earliest claim shows (design 6). */
export interface Claim {
  readonly stamp: bigint;
  readonly origin: RegionId;
  readonly id: ChangeId;
}

/** A virtual row that claims a key, with its claim per unique key's name. A claim no longer in the log is null: the earliest. */
export interface Claimant {
  readonly row: RowState;
  readonly claims: ReadonlyMap<string, Claim | null>;
}

/** A local change, in no tick yet, that was taken as concurrent with a change of tick (origin, seq): the race (design 5). */
export interface Race {
  readonly change: ChangeId;
  readonly origin: RegionId;
  readonly seq: Seq;
}

/** Why the transaction has to be rolled back and taken again. Expected, hence a value. */
export type Retry = {
  /** 'counter overflow': a sum beyond the column's type; taken again, the type's bound is shown, and the excess kept. */
  readonly retry:
    | 'row appeared'
    | 'policy changed'
    | 'lock timeout'
    | 'deadlock'
    | 'unique violation'
    | 'overtaken'
    | 'counter overflow';
  readonly detail: string;
  /** Of the statement that failed. */
  readonly table?: TableName;
};

/** Leaves an attempt from any depth, or from a step whose answer has no room for a retry: it is rolled back and taken again. */
export class TransactionRetryError extends Error {
  readonly code = 'transaction_retry';
  constructor(
    readonly because: Retry | TableRefused,
    options?: ErrorOptions,
  ) {
    super(`${because.retry}: ${because.detail}`, options);
    this.name = 'TransactionRetryError';
  }
}

/**
 * The table cannot take these changes as it is here: a column, a label, a type is missing, a constraint is stricter. Its
 * changes wait in the log, and those of other tables go on.
 */
export interface TableRefused {
  readonly retry: 'table refused';
  readonly table: TableName;
  readonly detail: string;
}

/** Where the rows are that exist, by `rowId`. */
export type Places = ReadonlyMap<string, RowState['place']>;

export interface Held {
  readonly places: Places;
  readonly entries: readonly Entry[];
}

export type WriteOutcome = { readonly retry: null } | Retry;

/** Steps are taken in the order of asking: who needs no answer before the next one may ask for several side by side. */
export interface ApplyTransaction {
  /** Steps 1 and 2: {@link lock}, then {@link entriesAbove} of the same rows. */
  hold(rows: readonly RowRef[], floor: Vector): Promise<Held | Retry | TableRefused>;
  /**
   * Step 1. Locks the rows that exist, parked entries included, by table and key, in order; looks again until every
   * existing one is held.
   */
  lock(rows: readonly RowRef[]): Promise<Places | Retry | TableRefused>;
  /** FOR KEY SHARE on parents that arriving rows rely on. Resolves to the ids of those that exist. */
  holdParents(rows: readonly RowRef[]): Promise<ReadonlySet<string> | Retry | TableRefused>;
  /**
   * Step 2, a new statement. The log entries on these rows that `floor` does not cover: local ones not visible in the
   * snapshot of tick floor[self], remote ones with seq > floor[origin]; in the order of writing. A local entry that is in a
   * tick has its seq, that tick's deps, and the `unseen` it was shipped with; one in no tick yet has seq and deps null, and
   * all races recorded for it as its `unseen`. So that deleted rows can be restored, deletes come with their image in `before`.
   * Entries of an ended enrolment are none, here and wherever the log is asked for versions: they are in all regions' rows.
   */
  entriesAbove(rows: readonly RowRef[], floor: Vector): Promise<readonly Entry[]>;
  /** All log entries on these rows, oldest first: for claims and for images of deleted rows. */
  entriesOf(rows: readonly RowRef[]): Promise<readonly Entry[]>;
  /** The virtual rows among these. A row in the table hides a parked entry of its key: a local insert took the key. */
  read(rows: readonly RowRef[]): Promise<ReadonlyMap<string, RowState>>;
  /** The table's rows that refer to one of these parents by an enrolled foreign key, shown ones. */
  children(parents: readonly RowRef[]): Promise<readonly RowState[]>;
  /** Virtual rows, shown or parked, that hold one of these values in the named unique key. Values: the key's columns as text. */
  claimants(table: TableName, uniqueKey: string, values: readonly Values[]): Promise<readonly Claimant[]>;
  /** Keeps these rows' claims as long as one of their keys is contended, though the log forgets them (design 6). */
  keepClaims(rows: readonly Claimant[]): Promise<void>;
  /** What was kept of these rows, by row and unique key. */
  keptClaims(rows: readonly RowRef[]): Promise<ReadonlyMap<string, ReadonlyMap<string, Claim>>>;
  /** Rows of these tables of which the log has a delete that the floor does not cover. */
  deletedAbove(tables: readonly TableName[], floor: Vector): Promise<readonly RowRef[]>;
  /** Removes the parked entries whose key a local insert took, whether its row is still there or not. Resolves to these. */
  removeOvertaken(): Promise<readonly RowRef[]>;
  /** All parked rows, for the sweep. */
  parked(): Promise<readonly Claimant[]>;
  /**
   * Rows of all tables that do not show as much of a counter's full sum as its type holds, for the sweep: a local write changes
   * what is shown, by the difference that is logged, and knows of no excess.
   */
  unsettled(): Promise<readonly RowRef[]>;
  /** Steps 3 and 4: set-based per table and kind; frees (delete, park, replace's delete), then updates, then inserts. */
  write(effects: readonly RowEffect[]): Promise<WriteOutcome | TableRefused>;
  /** Step 5. Puts the ticks' changes into the log as remote ones, and keeps the ticks' rows. One that is there: overtaken. */
  append(ticks: readonly Tick[]): Promise<void>;
  /**
   * Keeps these changes, which `append` has put into the log, waiting for their tables. Until they are resumed, a local change
   * of such a table has not seen them: the relay ships it with `unseen`, and no log partition is dropped.
   */
  keepWaiting(changes: readonly Change[], reasons: ReadonlyMap<TableName, string>): Promise<void>;
  /** A table's waiting changes, oldest first. */
  waitingChanges(table: TableName): Promise<readonly Entry[]>;
  /** They are applied in this transaction, and wait no more. */
  resume(table: TableName): Promise<void>;
  /** The image that deletes in the log bring along; every delete of a row carries the same, newest one (design 5, 6). */
  keepImages(images: readonly { readonly ref: RowRef; readonly image: JsonText }[]): Promise<void>;
  recordRaces(races: readonly Race[]): Promise<void>;
  /** Into the log as local changes, so that the next tick carries them; behind the write of their rows. */
  logOwn(changes: readonly OwnChange[]): Promise<void>;
  /**
   * Waits for those who are writing to these tables, and keeps others out until the end of the transaction. Gives up soon, for
   * everybody who comes meanwhile waits behind it.
   */
  holdWriters(tables: readonly TableName[]): Promise<WriteOutcome | TableRefused>;
  /** Writes conflict records as local changes of `meridian.conflict`, so that the next tick carries them. */
  recordConflicts(records: readonly ConflictRecord[]): Promise<void>;
  /** Adds these to the counts of merges that lost nothing. */
  countMerges(merges: readonly Merge[]): Promise<void>;
  /** Existing records of this region by id, to follow or withdraw. */
  conflictRecords(ids: readonly string[]): Promise<ReadonlyMap<string, ConflictRecord>>;
  /**
   * Own records that tell of siblings and of whose row, or of which themselves, the log has something new since the last
   * transaction that asked and was committed; now and then others.
   */
  openSiblings(): Promise<OpenSiblings>;
  /**
   * Advances origin → seq by compare-and-set (`where seq = n-1`) with the transport's positions, and raises the stamp floor,
   * bounded. Overtaken also when an enrolment of one of the ticks' tables has ended since enrolments were read.
   */
  advance(ticks: readonly Tick[], positions: ReadonlyMap<RegionId, string>): Promise<WriteOutcome>;
  /** Step 6. What the replica role does not check: deferrable constraints. Names what is violated. */
  check(rows: readonly RowRef[]): Promise<readonly ParkReason[]>;
  /** Step 7: waits for the cut lock, which the relay takes before its snapshot; held until the end of the transaction. */
  takeCutLock(): Promise<void>;
  /** 'row appeared' when the log has a change of these rows that was not there yet when {@link entriesAbove} was first asked. */
  lookAgain(rows: readonly RowRef[], floor: Vector): Promise<WriteOutcome>;
  /** Of all steps asked for, or of none: where one has failed, or asks for a retry, this is a rollback. */
  commit(): Promise<WriteOutcome>;
  rollback(): Promise<void>;
}
