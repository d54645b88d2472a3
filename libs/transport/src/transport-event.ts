import type { RegionId, Seq } from '@meridian/core';
import type { RefusalCode } from './envelope/refusal.js';

/** What an operator may want to hear of; for logs and health, never needed for correctness. */
export type TransportEvent =
  | { readonly kind: 'connected'; readonly origin: RegionId; readonly source: string }
  | { readonly kind: 'disconnected'; readonly origin: RegionId; readonly source: string; readonly reason: string }
  | {
      readonly kind: 'refused';
      readonly origin: RegionId;
      readonly source: string;
      readonly code: RefusalCode;
      readonly detail: string;
    }
  /** Ticks from `from` to `to` were not where they should be, and are asked for elsewhere. */
  | { readonly kind: 'gap'; readonly origin: RegionId; readonly from: Seq; readonly to: Seq }
  | { readonly kind: 'publish failed'; readonly seq: Seq; readonly reason: string };

export type TransportListener = (event: TransportEvent) => void;

export const ignoreEvents: TransportListener = () => undefined;
