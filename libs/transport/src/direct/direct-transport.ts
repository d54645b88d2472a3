import type { Cancellation, DeliveredTick, RegionId, Seq, Tick, Transport } from '@meridian/core';
import { linkedAbort, pause } from '../cancellation.js';
import type { Envelopes } from '../envelope/envelope.js';
import { EnvelopeRefusedError, Refusals } from '../envelope/refusal.js';
import type { PeerClient } from '../peers/peer-client.js';
import { ignoreEvents, type TransportListener } from '../transport-event.js';
import { Backoff } from './backoff.js';
import type { RecentTicks } from './recent-ticks.js';
import { streamTicks, type StreamRequest } from './tick-stream.js';

export interface DirectTransportOptions {
  readonly client: PeerClient;
  readonly envelopes: Envelopes;
  /** Shared with this region's TickServer, which serves peers from it. */
  readonly recent: RecentTicks;
  readonly idleTimeoutMs?: number;
  /** The origin lives and brings no tick for so long (it may not have it any more): another peer is asked. */
  readonly stallMs?: number;
  readonly onEvent?: TransportListener;
  readonly refusals?: Refusals;
}

/** How long a peer other than the origin is listened to before the origin is tried again; doubles with its failures. */
const FIRST_DETOUR_MS = 1_000;
const LONGEST_DETOUR_MS = 30_000;
/** A gap is answered in portions, for the caller has them all in memory. In characters of patches, about. */
const FETCH_CHARS = 64 * 1024 * 1024;

/** Peers pull one another's ticks over HTTP. See TickServer for the other side. */
export class DirectTransport implements Transport {
  readonly refusals: Refusals;
  private readonly closed = new AbortController();
  private readonly patience: { readonly idleTimeoutMs: number; readonly stallMs: number };
  private readonly onEvent: TransportListener;

  constructor(private readonly options: DirectTransportOptions) {
    this.patience = { idleTimeoutMs: options.idleTimeoutMs ?? 10_000, stallMs: options.stallMs ?? 5_000 };
    this.onEvent = options.onEvent ?? ignoreEvents;
    this.refusals = options.refusals ?? new Refusals();
  }

  async publish(tick: Tick): Promise<void> {
    await this.options.recent.publish(tick);
  }

  async *subscribe(origin: RegionId, from: Seq, signal: Cancellation): AsyncGenerator<DeliveredTick> {
    const { controller, release } = linkedAbort(signal);
    const stop = (): void => controller.abort();
    this.closed.signal.addEventListener('abort', stop);
    if (this.closed.signal.aborted) stop();
    try {
      for await (const tick of this.ticksFrom(origin, from, controller.signal)) yield { tick, position: null };
    } finally {
      stop();
      release();
      this.closed.signal.removeEventListener('abort', stop);
    }
  }

  async fetch(origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> {
    const found: Tick[] = [];
    let [next, chars] = [from, 0];
    for (const peer of [origin, ...this.detours(origin)]) {
      if (!this.options.client.regions.includes(peer)) continue;
      for await (const tick of this.attempt({ peer, origin, from: next, to, waitMs: 0 }, this.closed.signal)) {
        if (tick.seq !== next) break;
        found.push(tick);
        next = (next + 1) as Seq;
        chars += tick.changes.reduce((sum, c) => sum + (c.patch?.length ?? 0) + (c.before?.length ?? 0), 0);
        if (chars > FETCH_CHARS) return found;
      }
      if (next > to) break;
    }
    return found;
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.options.client.close();
  }

  /** The origin as long as it answers; when it does not, another peer for a while, then the origin again. */
  private async *ticksFrom(origin: RegionId, from: Seq, signal: AbortSignal): AsyncGenerator<Tick> {
    const detours = this.detours(origin);
    const backoff = new Backoff();
    const detourTime = new Backoff(FIRST_DETOUR_MS, LONGEST_DETOUR_MS);
    let next = from;
    let detour = 0;
    while (!signal.aborted) {
      const before = next;
      for await (const tick of this.attempt({ peer: origin, origin, from: next }, signal)) {
        next = (tick.seq + 1) as Seq;
        yield tick;
      }
      if (next > before) {
        backoff.reset();
        detourTime.reset();
      }
      const peer = detours[detour % Math.max(1, detours.length)];
      if (peer !== undefined && !signal.aborted) {
        const reached = next;
        const waitMs = Math.round(detourTime.nextMs());
        for await (const tick of this.attempt({ peer, origin, from: next, waitMs }, signal)) {
          next = (tick.seq + 1) as Seq;
          yield tick;
        }
        // One that had something is asked again the next time.
        if (next > reached) backoff.reset();
        else detour++;
      }
      await pause(backoff.nextMs(), signal);
    }
  }

  private detours(origin: RegionId): readonly RegionId[] {
    return this.options.client.regions.filter((region) => region !== origin);
  }

  /** One connection, until it ends for whatever reason; the reason is reported, not thrown. */
  private async *attempt(asked: StreamRequest, signal: AbortSignal): AsyncGenerator<Tick> {
    const { origin, peer } = asked;
    const onOpen = (): void => this.onEvent({ kind: 'connected', origin, source: peer });
    try {
      yield* streamTicks(this.options.client, this.options.envelopes, asked, { ...this.patience, signal, onOpen });
      if (!signal.aborted && asked.waitMs === undefined)
        this.onEvent({ kind: 'disconnected', origin, source: peer, reason: 'the peer ended the stream' });
    } catch (error) {
      if (!signal.aborted) this.report(asked, error as Error);
    }
  }

  private report({ origin, peer: source }: StreamRequest, error: Error): void {
    if (error instanceof EnvelopeRefusedError) {
      this.refusals.count(error.code);
      this.onEvent({ kind: 'refused', origin, source, code: error.code, detail: error.message });
    } else this.onEvent({ kind: 'disconnected', origin, source, reason: error.message });
  }
}
