import type { RegionId, Seq } from '../ids.js';

/**
 * What the instances of one region tell one another, so that a change feed or a reader with a token that waits in one of
 * them wakes when another has cut or applied a tick. Hints: lost or repeated, they cost time and never correctness, for
 * whoever wakes looks into the database.
 */
export type FeedEvent =
  /** Tick (origin, seq) is visible in this region's database. */
  | { readonly kind: 'visible'; readonly origin: RegionId; readonly seq: Seq }
  /** Events may have been missed: look. */
  | { readonly kind: 'missed' };

export interface FeedBus {
  /** To all instances of this region, this one included; here at once. Never fails and never waits. */
  publish(event: FeedEvent): void;
  /** Gives what ends it. A listener must not throw. */
  subscribe(listener: (event: FeedEvent) => void): () => void;
  close(): Promise<void>;
}
