import type { RegionId, Seq } from '../ids.js';
import type { Tick } from '../tick/tick.js';

/** What the core needs of an AbortSignal, which fits it. */
export interface Cancellation {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Carries ticks between regions. Promises nothing but integrity: it may repeat, reorder and lose; receive drops what is
 * applied and asks `fetch` for what is missing.
 */
export interface Transport {
  /** Called once a tick's row is committed. Resolves when the transport has taken responsibility or buffered it. */
  publish(tick: Tick): Promise<void>;
  /**
   * Ticks of one origin from `from` on, in order as far as the transport can; ends when the signal aborts. Backpressure:
   * pulled. `position`: of the last tick applied, if the transport gave one.
   */
  subscribe(origin: RegionId, from: Seq, signal: Cancellation, position?: string | null): AsyncIterable<DeliveredTick>;
  /** A gap: these ticks from the origin, or from any peer that has them. Empty when nobody answers. */
  fetch(origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]>;
  close(): Promise<void>;
}

export interface DeliveredTick {
  readonly tick: Tick;
  /** Where the transport goes on after this tick (a Kafka offset); kept in PostgreSQL with the applied vector. */
  readonly position: string | null;
}

/** What peers read: this region's own ticks and those it applied of others. The direct transport serves from it. */
export interface TickReader {
  read(
    origin: RegionId,
    from: Seq,
    limit: { readonly ticks: number; readonly changes: number },
  ): Promise<readonly Tick[]>;
  /** Resolves when a tick of `origin` with this seq or a later one may be there, or the signal aborts. */
  waitFor(origin: RegionId, seq: Seq, signal: Cancellation): Promise<void>;
}
