/*
 * Types for authors of merge functions. With a copy of this file beside the function, an editor checks it:
 *
 *   // @ts-check
 *   /** @type {import('./merge').Merge} *\/
 *   export default function merge(base, versions, context) { … }
 *
 * What a function may rely on is in docs/guides/merge-functions.md.
 */

/** Column → the value as PostgreSQL writes it as text, or null for SQL's NULL. */
export interface Values {
  readonly [column: string]: string | null;
}

/** One of the concurrent versions. */
export interface Version {
  /** The region that wrote it. */
  readonly origin: string;
  /** Its hybrid logical clock, in decimal. Beyond what a number holds: compare as BigInt(stamp). */
  readonly stamp: string;
  /** The region's wall clock, ISO 8601 in UTC with microseconds: `2026-11-22T07:15:00.123456Z`. */
  readonly wall: string;
  readonly values: Values;
}

export interface Context {
  /** As PostgreSQL names it: `public.items`. */
  readonly table: string;
  /** The row's primary key. */
  readonly key: readonly string[];
  /** The columns that the result has to have: each of them, and no other. */
  readonly columns: readonly string[];
}

/**
 * Makes one value of concurrent versions. `base`: what they wrote over, null when there was no row. `versions`: two or more, in the
 * order of stamp and origin, on which the result must not depend. Not async.
 */
export type Merge = (base: Values | null, versions: readonly Version[], context: Context) => Values;
