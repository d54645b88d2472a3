import type { Change } from '../change/change.js';
import type { RegionId, Seq } from '../ids.js';
import type { Stamp } from '../stamp.js';
import type { Vector } from '../vector.js';

/** The unit of replication: all changes that became visible between two consecutive snapshots of the origin. */
export interface TickHeader {
  readonly origin: RegionId;
  readonly seq: Seq;
  /** The origin's applied vector in the tick's own snapshot; its own entry is seq − 1. */
  readonly deps: Vector;
  /** Highest stamp the origin had given out, and its wall clock in microseconds: staleness and skew are read from these. */
  readonly stamp: Stamp;
  readonly wall: bigint;
  /** Digest of the tick before: a peer that holds another predecessor refuses this one. */
  readonly previous: string;
}

export interface Tick extends TickHeader {
  /** Folded; in the order of writing. Empty: a heartbeat. */
  readonly changes: readonly Change[];
  /** Digest of the header and the changes: a seq names one content for ever (I5). */
  readonly digest: string;
}

/** Bounds are in changes; a large one counts as several, so that 50,000 of 1 MB each are never held as 50,000 small ones are. */
const CHARS_PER_CHANGE = 4_000;

/** How much of a bound in changes a tick takes up. */
export function weightOf({ changes }: Pick<Tick, 'changes'>): number {
  let chars = 0;
  for (const { patch, before } of changes) chars += (patch?.length ?? 0) + (before?.length ?? 0);
  return Math.max(changes.length, Math.ceil(chars / CHARS_PER_CHANGE));
}

/** The predecessor of every origin's first tick. */
export const GENESIS_DIGEST = '';
