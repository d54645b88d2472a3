import type { Kafka } from 'kafkajs';
import type { Cancellation, DeliveredTick, RegionId, Seq, Tick, TickReader, Transport } from '@meridian/core';
import { linkedAbort, pause } from '../cancellation.js';
import { Backoff } from '../direct/backoff.js';
import type { Envelopes } from '../envelope/envelope.js';
import { EnvelopeRefusedError, Refusals } from '../envelope/refusal.js';
import { TickAssembler } from '../envelope/tick-messages.js';
import { ignoreEvents, type TransportListener } from '../transport-event.js';
import { TickPublisher } from './tick-publisher.js';
import { TopicReader } from './topic-reader.js';
import { kafkaClient, OriginTopic, type KafkaOptions } from './topic.js';

export interface KafkaTransportOptions extends KafkaOptions {
  readonly envelopes: Envelopes;
  /** This region's log: what could not be published yet is read from it. */
  readonly reader: TickReader;
  /** Fills gaps, and carries on alone while Kafka is silent. Closed with this transport. */
  readonly direct: Pick<Transport, 'publish' | 'fetch' | 'close'>;
  /** Heartbeats come every second: after so long without one the origin, or Kafka, is gone, and direct is asked. */
  readonly stallMs?: number;
  readonly onEvent?: TransportListener;
  readonly refusals?: Refusals;
}

/** Ticks asked for over direct at a time. */
const PORTION = 256;
const DIRECT_PAUSE_MS = 200;

/**
 * One topic per origin. Ticks are taken in the order of offsets; whatever Kafka does not have (expired, deleted, damaged,
 * never published) shows as a gap in their seqs and is fetched over direct before the stream goes on.
 */
export class KafkaTransport implements Transport {
  readonly refusals: Refusals;
  readonly publisher: TickPublisher;
  private readonly kafka: Kafka;
  private readonly closed = new AbortController();
  private readonly onEvent: TransportListener;

  constructor(private readonly options: KafkaTransportOptions) {
    this.kafka = kafkaClient(options);
    this.onEvent = options.onEvent ?? ignoreEvents;
    this.refusals = options.refusals ?? new Refusals();
    const topic = new OriginTopic(this.kafka, options, options.region);
    this.publisher = new TickPublisher({ ...options, topic, onEvent: this.onEvent });
  }

  /** Also to direct, which serves those who ask this region for a gap. */
  async publish(tick: Tick): Promise<void> {
    await this.options.direct.publish(tick);
    this.publisher.publish(tick);
  }

  async *subscribe(
    origin: RegionId,
    from: Seq,
    signal: Cancellation,
    position: string | null = null,
  ): AsyncGenerator<DeliveredTick> {
    const { controller, release } = linkedAbort(signal);
    const stop = (): void => controller.abort();
    this.closed.signal.addEventListener('abort', stop);
    if (this.closed.signal.aborted) stop();
    const topic = new OriginTopic(this.kafka, this.options, origin);
    const reader = new TopicReader(topic, parsePosition(position), {
      connected: () => this.onEvent({ kind: 'connected', origin, source: 'kafka' }),
      failed: (reason) => this.onEvent({ kind: 'disconnected', origin, source: 'kafka', reason }),
    });
    const reading = reader.run(controller.signal);
    try {
      yield* this.deliver(origin, from, position, reader, controller.signal);
    } finally {
      stop();
      release();
      this.closed.signal.removeEventListener('abort', stop);
      await reading;
    }
  }

  fetch(origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> {
    return this.options.direct.fetch(origin, from, to);
  }

  async close(): Promise<void> {
    this.closed.abort();
    await Promise.all([this.publisher.close(), this.options.direct.close()]);
  }

  private async *deliver(
    origin: RegionId,
    from: Seq,
    start: string | null,
    reader: TopicReader,
    signal: AbortSignal,
  ): AsyncGenerator<DeliveredTick> {
    const assembler = new TickAssembler(this.options.envelopes, origin);
    let next = from;
    let position = start;
    const stallMs = this.options.stallMs ?? 5_000;
    let askDirectAt = Date.now() + stallMs;
    while (!signal.aborted) {
      const message = reader.queue.take();
      if (message === null && Date.now() < askDirectAt) {
        await reader.queue.next(askDirectAt - Date.now(), signal);
        continue;
      }
      if (message === null) {
        const ticks = await this.fetch(origin, next, (next + PORTION - 1) as Seq);
        for (const tick of ticks) {
          next = (tick.seq + 1) as Seq;
          yield { tick, position };
        }
        // As long as direct has what Kafka does not bring, it is asked often.
        askDirectAt = Date.now() + (ticks.length > 0 ? DIRECT_PAUSE_MS : stallMs);
        continue;
      }
      askDirectAt = Date.now() + stallMs;
      const tick = this.take(assembler, origin, message.value, next);
      if (tick !== null) {
        if (tick.seq > next) {
          for await (const missing of this.missing(origin, next, (tick.seq - 1) as Seq, signal))
            yield { tick: missing, position };
          if (signal.aborted) return;
        }
        position = String(message.offset + 1n);
        next = (tick.seq + 1) as Seq;
        yield { tick, position };
      }
    }
  }

  /** Null also for what is refused: it will be missing, and fetched. */
  private take(assembler: TickAssembler, origin: RegionId, message: Buffer, wanted: Seq): Tick | null {
    try {
      return assembler.add(message, wanted);
    } catch (error) {
      if (!(error instanceof EnvelopeRefusedError)) throw error;
      this.refusals.count(error.code);
      this.onEvent({ kind: 'refused', origin, source: 'kafka', code: error.code, detail: error.message });
      return null;
    }
  }

  /** Until the gap is closed: nothing behind it could be applied. */
  private async *missing(origin: RegionId, from: Seq, to: Seq, signal: AbortSignal): AsyncGenerator<Tick> {
    this.onEvent({ kind: 'gap', origin, from, to });
    const backoff = new Backoff(100, 5_000);
    let next = from;
    while (next <= to && !signal.aborted) {
      const ticks = await this.fetch(origin, next, Math.min(to, next + PORTION - 1) as Seq);
      for (const tick of ticks) {
        next = (tick.seq + 1) as Seq;
        yield tick;
      }
      if (ticks.length === 0) await pause(backoff.nextMs(), signal);
      else backoff.reset();
    }
  }
}

const parsePosition = (position: string | null): bigint | null =>
  position !== null && /^[0-9]{1,18}$/.test(position) ? BigInt(position) : null;
