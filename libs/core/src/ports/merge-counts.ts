import type { Merge } from '../conflict/merge-count.js';
import type { TableRef } from '../rows/name-parser.js';

/** This region's share of the merges that lost nothing. */
export interface MergeCount extends Merge {
  readonly merges: number;
  /** ISO 8601, UTC. */
  readonly since: string;
}

export interface MergeCounts {
  /** Of one table, or of all. */
  counts(of: TableRef | null): Promise<readonly MergeCount[]>;
}
