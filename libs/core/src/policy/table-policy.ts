import type { TableName } from '../ids.js';

export type RegisterPolicy =
  | { readonly kind: 'hlc' }
  /** By the origin's wall clock, or by a timestamp column whose value each version carries as its wall. */
  | { readonly kind: 'lww'; readonly column: string | null };

export type DeletePolicy = 'update-wins' | 'delete-wins' | 'by-stamp';
export type Granularity = 'column' | 'group' | 'row';

/** One thing to be decided: a column, or a group whose columns are always taken together from one version. */
export interface Register {
  readonly columns: readonly string[];
  readonly policy: RegisterPolicy;
}

/** A secondary unique key: at most one visible row per value. Rows with a NULL claim nothing (unless NULLS NOT DISTINCT). */
export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly nullsDistinct: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
}

/** A replicated table as the core needs it; what the user wrote, resolved against the catalog. */
export interface TableSpec {
  readonly name: TableName;
  readonly keyColumns: readonly string[];
  /** Every replicated column but the key's and generated ones, each in exactly one register or in `counters`. */
  readonly registers: readonly Register[];
  readonly counters: readonly string[];
  readonly delete: DeletePolicy;
  readonly uniqueKeys: readonly UniqueKey[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Columns that were renamed here, [old, new]: the log and other regions may still call them by the old name. */
  readonly renamed: readonly (readonly [string, string])[];
  /** Columns that the regions agreed on under `epoch`: what a change of an earlier one set in any other is in the log alone. */
  readonly agreed: readonly string[];
  readonly epoch: number;
}
