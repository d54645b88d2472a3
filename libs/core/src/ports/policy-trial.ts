import type { ConflictRecord } from '../conflict/record.js';
import type { TableName } from '../ids.js';
import type { TableSpec } from '../policy/table-policy.js';
import type { TableRef } from '../rows/name-parser.js';

/** What it takes to try another policy on what conflicted; nothing is written. */
export interface PolicyTrial {
  /** The table's policy of now and the other one, both resolved against the table as it is here. Null: it is not enrolled. */
  specs(table: TableRef, policy: unknown): Promise<TrialSpecs | null>;
  /** The table's records, newest first, in pages; withdrawn ones, of which nothing was lost, are left out. */
  records(table: TableName, since: string | undefined, limit: number): AsyncIterable<readonly ConflictRecord[]>;
}

export type TrialSpecs =
  | { readonly kind: 'resolved'; readonly present: TableSpec; readonly other: TableSpec }
  | {
      readonly kind: 'refused';
      readonly reasons: readonly { readonly code: string; readonly detail: string; readonly cure: string }[];
    };
