import type { ConflictEvent } from '../conflict/conflict-event.js';
import type { JsonText } from '../ids.js';
import type { TableRef } from '../rows/name-parser.js';

/** Whom to tell what; the configuration says so. */
export interface Subscription {
  readonly name: string;
  readonly url: string;
  readonly events: readonly ConflictEvent[];
  /** Null: all. */
  readonly tables: readonly TableRef[] | null;
}

/** One thing that a webhook is to be told. It is kept, in the transaction in which it came to be, until it was told or given up. */
export interface Delivery {
  /** The same in every attempt, and of nothing else: who is told twice can tell. */
  readonly id: string;
  readonly event: ConflictEvent;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Those before this one. */
  readonly attempts: number;
  /** The conflict as it is now, as readers are shown it; null: it is kept no longer. */
  readonly conflict: JsonText | null;
}

export type Settled =
  | { readonly id: string; readonly kind: 'told' | 'dropped' }
  /** To be tried again after this long, unless it is to be given up. */
  | { readonly id: string; readonly kind: 'refused'; readonly error: string; readonly againMs: number };

export interface WebhookState {
  readonly name: string;
  readonly waiting: number;
  /** ISO 8601, as all here; null: nothing waits. */
  readonly oldestWaiting: string | null;
  readonly failed: number;
  readonly toldAt: string | null;
  /** Of what waits or has failed. */
  readonly lastError: string | null;
  /** Why it is told nothing any more; null: it is. */
  readonly stopped: string | null;
}

/** What this region's webhooks are still to be told. */
export interface WebhookStore {
  /** From now on these and no others. What others were still to be told is forgotten; another address begins anew. */
  configure(hooks: readonly Subscription[]): Promise<void>;
  /** What is due, the longest due first; nothing when the webhook is stopped. */
  due(hook: string, limit: number): Promise<readonly Delivery[]>;
  /** Resolves to how many were given up: refused, and older than `giveUpMs`. Those that old that wait unheard go with them. */
  settle(hook: string, settled: readonly Settled[], giveUpMs: number): Promise<number>;
  /** It is told nothing any more, until it is resumed. */
  stop(hook: string, why: string): Promise<void>;
  /** What has failed is tried again at once, as is what waits. Resolves to how much it is to be told now. */
  resume(hook: string): Promise<number>;
  states(): Promise<readonly WebhookState[]>;
}
