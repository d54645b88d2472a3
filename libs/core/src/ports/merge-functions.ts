import type { Values } from '../change/change.js';
import type { RegionId, RowKey, TableName } from '../ids.js';
import type { MergeFunction } from '../policy/table-policy.js';

/**
 * A user's functions that make one value of concurrent versions (design 6, `merge: <name>`). Adapters: JavaScript in a
 * sandbox, and SQL functions of the region's database. What a function does wrong is an outcome; a rejection is the
 * adapter's own trouble (a lost connection), and says nothing of the calls.
 */
export interface MergeFunctions {
  /** One outcome a call, in their order. */
  run(calls: readonly MergeCall[]): Promise<readonly MergeOutcome[]>;
}

/** The functions that tables' policies bring along, text and all: what apply asks, whatever language a function is in. */
export interface PolicyFunctions {
  /** One outcome a call, in their order. */
  run(calls: readonly PolicyCall[]): Promise<readonly MergeOutcome[]>;
}

export type PolicyCall = Omit<MergeCall, 'function'> & { readonly function: MergeFunction };

/** A function by name, once it is known. A version's text never changes: all regions run the same one. */
export interface MergeFunctionRef {
  readonly name: string;
  readonly version: number;
  /** Of a function in SQL, whose text is in the database: another one is not it. Left out: whatever is there. */
  readonly digest?: string | undefined;
}

/** One register of one row to be decided. */
export interface MergeCall {
  readonly function: MergeFunctionRef;
  readonly table: TableName;
  readonly key: RowKey;
  /** The register's columns: what the result has to have, each of them and no other. */
  readonly columns: readonly string[];
  /** Of these columns, before the first of the versions; null: there was no row. */
  readonly base: Values | null;
  /** The maximal ones, in the order of stamp, origin, id. */
  readonly versions: readonly MergeVersion[];
}

export interface MergeVersion {
  readonly origin: RegionId;
  /** In decimal: a stamp is beyond what a JavaScript number holds. */
  readonly stamp: string;
  /** The origin's wall clock, ISO 8601 in UTC with microseconds. */
  readonly wall: string;
  readonly values: Values;
}

export type MergeOutcome =
  | { readonly kind: 'merged'; readonly values: Values }
  | { readonly kind: 'failed'; readonly because: MergeFailure; readonly detail: string };

/** Follows from the call alone: the function fails alike in every region. */
export type CertainFailure =
  | 'threw'
  /** More jumps, calls and steps back in regular expressions than a call may take: counted, not timed. */
  | 'out of steps'
  | 'out of memory'
  | 'not a value'
  | 'too large';

/**
 * Follows from this machine, now: the next region may get a value from the same call. Whoever decides by such a failure has to
 * see to it that all regions decide so.
 */
export type LocalFailure = 'timed out' | 'suspended' | 'unknown function';
export type MergeFailure = CertainFailure | LocalFailure;

const LOCAL: ReadonlySet<MergeFailure> = new Set<LocalFailure>(['timed out', 'suspended', 'unknown function']);
export const isLocalFailure = (because: MergeFailure): because is LocalFailure => LOCAL.has(because);
