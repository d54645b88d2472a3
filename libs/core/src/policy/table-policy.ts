import type { TableName } from '../ids.js';
import type { ParentLoss, UniqueLoss } from './loss-policy.js';

/** One of the concurrent versions is taken whole. */
export type RegisterPolicy =
  | { readonly kind: 'hlc' }
  /** By the origin's wall clock, or by a timestamp column whose value each version carries as its wall. */
  | { readonly kind: 'lww'; readonly column: string | null }
  | { readonly kind: 'first-write' }
  /** The region that is named first; those that are not named rank behind, by stamp. */
  | { readonly kind: 'region-priority'; readonly regions: readonly string[] }
  /** The greatest or least value; NULL is none. */
  | { readonly kind: 'max' | 'min'; readonly order: ValueOrder }
  /** A boolean: among concurrent ones this value wins. */
  | { readonly kind: 'flag'; readonly wins: 'enable' | 'disable' }
  /** By stamp for now: a person is to decide. */
  | { readonly kind: 'manual' }
  /** By stamp, with the other values beside it as siblings, until somebody writes who has seen them. */
  | { readonly kind: 'register' };

/** What one version is taken by where nothing else is said of the values. */
export type FallbackPolicy = Exclude<RegisterPolicy, { readonly kind: 'lww' | 'max' | 'min' | 'flag' | 'register' }>;

/** A user's function makes one value of the versions; where it gives none, the fallback decides. */
export interface FunctionPolicy {
  readonly kind: 'merge';
  readonly function: MergeFunction;
  readonly fallback: FallbackPolicy;
}

/** As the policy brings it to every region. */
export interface MergeFunction {
  readonly name: string;
  readonly language: 'javascript' | 'sql';
  /** JavaScript's text; of SQL the function's name in every region's database. */
  readonly source: string;
  /** Of SQL, what the regions agreed that it does: see `findFunction`. JavaScript's source says it all. */
  readonly digest?: string;
}

/** How a column's values are compared as PostgreSQL writes them. */
export type ValueOrder =
  | 'number'
  | 'time'
  | 'boolean'
  /** Numbers inside a document; whatever else is there is none. */
  | 'json';

/** The value is made of parts, each decided by itself: what concurrent versions did to different parts is all kept. */
export type MergePolicy =
  /** The elements of an array: whoever adds one wins over those who remove it. `grow-set`: nobody removes any. */
  | { readonly kind: 'set' }
  | { readonly kind: 'grow-set' }
  /** The leaves of a jsonb document, each by the policy of its path, or by stamp. */
  | { readonly kind: 'map'; readonly paths?: readonly MapPath[] }
  | TextPolicy;

/** The characters of a text: what each version put in stays, and what it took out goes. `longest`: as many as its column takes. */
export interface TextPolicy {
  readonly kind: 'text';
  readonly longest: number | null;
}

/** What is at this path of a document, and below it. */
export interface MapPath {
  readonly path: readonly string[];
  readonly policy: LeafPolicy;
}

/** What of a document's leaf: one of the values written to it, or one that is made of them. */
export type LeafPolicy =
  Exclude<RegisterPolicy, { readonly kind: 'lww' | 'register' }> | { readonly kind: 'set' | 'counter' };

export type DeletePolicy = 'update-wins' | 'delete-wins' | 'by-stamp';
export type Granularity = 'column' | 'group' | 'row';

/** One thing to be decided: a column, or a group whose columns are always taken together from one version. */
export interface Register {
  readonly columns: readonly string[];
  readonly policy: RegisterPolicy | MergePolicy | FunctionPolicy;
}

const MERGES: ReadonlySet<string> = new Set(['set', 'grow-set', 'map', 'text'] satisfies MergePolicy['kind'][]);

export const merges = (policy: Register['policy']): policy is MergePolicy => MERGES.has(policy.kind);

/**
 * The columns whose concurrent values are merged: of such a one every change counts for itself, with what it wrote over. So two of
 * one tick are not folded, for the log of their own region has both.
 */
export const mergedColumns = (spec: Pick<TableSpec, 'registers'>): readonly string[] =>
  spec.registers.flatMap(({ columns, policy }) => (merges(policy) || policy.kind === 'merge' ? columns : []));

/** Those whose value is made of more changes than the one that arrives has not seen. */
export const textsOf = (spec: Pick<TableSpec, 'registers'>): ReadonlyMap<string, TextPolicy> =>
  new Map(
    spec.registers.flatMap(({ columns, policy }) =>
      policy.kind === 'text' ? columns.map((column): [string, TextPolicy] => [column, policy]) : [],
    ),
  );

/** A secondary unique key: at most one visible row per value. Rows with a NULL claim nothing (unless NULLS NOT DISTINCT). */
export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly nullsDistinct: boolean;
  /** Of the row that loses it; none: it is parked. */
  readonly loser?: UniqueLoss;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  /** Of a row whose parent is gone; none: its parent is restored. */
  readonly orphan?: ParentLoss;
}

/** Does a write of this key keep the parent that it names? */
export const touchesParent = ({ orphan }: Pick<ForeignKey, 'orphan'>): boolean =>
  orphan === undefined || orphan.kind === 'restore';

/** A counter of which each region takes no more than its share, so that together they never bring it below its bound (ADR 21). */
export interface BoundedCounter {
  readonly column: string;
  /** What its shares are kept under: the column's name when the table was enrolled. */
  readonly name: string;
  /** Not negative: of a row that two regions insert at once both would hand out what is below zero. */
  readonly min: string;
  /** The epoch that the table's enrolment began with: shares are of one enrolment. */
  readonly since: number;
}

/** A replicated table as the core needs it; what the user wrote, resolved against the catalog. */
export interface TableSpec {
  readonly name: TableName;
  readonly keyColumns: readonly string[];
  /** Every replicated column but the key's and generated ones, each in exactly one register or in `counters`. */
  readonly registers: readonly Register[];
  readonly counters: readonly string[];
  /** Those of the counters that never pass a bound; none: there are none. */
  readonly bounded?: readonly BoundedCounter[];
  readonly delete: DeletePolicy;
  readonly uniqueKeys: readonly UniqueKey[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Columns that were renamed here, [old, new]: the log and other regions may still call them by the old name. */
  readonly renamed: readonly (readonly [string, string])[];
  /** Columns that the regions agreed on under `epoch`: what a change of an earlier one set in any other is in the log alone. */
  readonly agreed: readonly string[];
  readonly epoch: number;
  /** Newest first; none: the policy is the only one since the table was enrolled. */
  readonly earlier?: readonly EarlierPolicy[];
}

/** What decides between changes that were written under it, also after another policy has come. */
export interface EarlierPolicy {
  /** The first one that it was in force under. */
  readonly epoch: number;
  readonly registers: readonly Register[];
  readonly delete: DeletePolicy;
}

/** The policy that was in force under this epoch; of one that is not known any more, the oldest that is. */
export function policyAt(spec: TableSpec, epoch: number): EarlierPolicy {
  if (epoch >= spec.epoch) return spec;
  const earlier = spec.earlier ?? [];
  return earlier.find((policy) => policy.epoch <= epoch) ?? earlier.at(-1) ?? spec;
}
