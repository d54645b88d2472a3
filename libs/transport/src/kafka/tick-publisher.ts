import type { Message, Producer } from 'kafkajs';
import type { RegionId, Seq, Tick, TickReader } from '@meridian/core';
import { pause, unlessAborted } from '../cancellation.js';
import { Backoff } from '../direct/backoff.js';
import type { Envelopes, EnvelopeHeader } from '../envelope/envelope.js';
import { sealTick } from '../envelope/tick-messages.js';
import type { TransportListener } from '../transport-event.js';
import { readRange } from './topic-reader.js';
import { quietly, type OriginTopic } from './topic.js';

export interface TickPublisherOptions {
  readonly topic: OriginTopic;
  readonly region: RegionId;
  readonly envelopes: Envelopes;
  readonly reader: TickReader;
  readonly onEvent: TransportListener;
}

/** Ticks just cut that wait for their turn here; beyond it they are read from the log: while Kafka is away, the outbox grows in PostgreSQL. */
const MAX_WAITING = 256;
const BATCH = { ticks: 256, changes: 5_000 } as const;
/** Messages looked at to find the last tick in the topic: more than one, for what a stranger wrote there does not count. */
const TAIL = 64n;

/**
 * Brings the region's ticks into its topic, each after the one before. What is sent is a run of seqs behind the last tick
 * known to be in the topic; a send whose outcome is unknown is made again, and receivers drop the repetition.
 */
export class TickPublisher {
  private waiting: Tick[] = [];
  private latest = 0;
  /** The last tick known to be in the topic; null before the topic was looked at. */
  private published: number | null = null;
  private producer: Producer | null = null;
  private readonly closed = new AbortController();
  private running: Promise<void> | null = null;
  private wake: () => void = () => undefined;

  constructor(private readonly options: TickPublisherOptions) {}

  /** Never waits for Kafka: the tick is committed in PostgreSQL, which is what it will be read from if need be. */
  publish(tick: Tick): void {
    if (this.closed.signal.aborted) return;
    if (this.waiting.length > 0 && this.waiting.at(-1)!.seq !== tick.seq - 1) this.waiting = [];
    this.waiting.push(tick);
    if (this.waiting.length > MAX_WAITING) this.waiting.shift();
    this.latest = Math.max(this.latest, tick.seq);
    this.running ??= this.run();
    this.wake();
  }

  /** Ticks cut and not yet known to be in the topic; null: the topic has not been reached yet. */
  get backlog(): number | null {
    return this.published === null ? null : Math.max(0, this.latest - this.published);
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.closed;
    const backoff = new Backoff(100, 5_000);
    while (!signal.aborted) {
      try {
        await unlessAborted(this.step(), signal);
        backoff.reset();
      } catch (error) {
        await this.disconnect();
        const seq = ((this.published ?? 0) + 1) as Seq;
        this.options.onEvent({ kind: 'publish failed', seq, reason: (error as Error).message });
        await pause(backoff.nextMs(), signal);
      }
    }
    await this.disconnect();
  }

  private async step(): Promise<void> {
    await this.connect();
    if (this.closed.signal.aborted) return;
    if (this.published! < this.latest) await this.sendNext();
    else await this.idle();
  }

  private idle(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      if (this.closed.signal.aborted) resolve();
    });
  }

  private async connect(): Promise<void> {
    if (this.producer !== null) return;
    await this.options.topic.ensure();
    this.published ??= await this.lastInTopic();
    if (this.closed.signal.aborted) return;
    const producer = this.options.topic.producer();
    // Kept before it is connected: a failing connect leaves sockets that only disconnect closes.
    this.producer = producer;
    await producer.connect();
  }

  private async disconnect(): Promise<void> {
    const producer = this.producer;
    this.producer = null;
    if (producer !== null) await quietly(producer.disconnect());
  }

  private async sendNext(): Promise<void> {
    const ticks = await this.nextTicks();
    if (ticks.length === 0) return;
    const messages = ticks.flatMap((tick) => this.messagesOf(tick));
    for (const request of requestsOf(messages)) await this.send(request);
    this.published = ticks.at(-1)!.seq;
    this.waiting = this.waiting.filter((t) => t.seq > this.published!);
  }

  private async send(messages: readonly Message[]): Promise<void> {
    await this.producer!.send({ topic: this.options.topic.name, acks: -1, messages: [...messages] });
  }

  /** The run behind the last published one: from memory while we keep up, else from the log. */
  private async nextTicks(): Promise<readonly Tick[]> {
    const next = (this.published! + 1) as Seq;
    const first = this.waiting[0]?.seq ?? Infinity;
    if (first <= next) return this.waiting.filter((t) => t.seq >= next).slice(0, BATCH.ticks);
    const logged = await this.options.reader.read(this.options.region, next, BATCH);
    if (logged.length > 0) return logged;
    // The log begins later (its older part was dropped, the topic is new): consumers get what is missing over direct.
    this.published = first - 1;
    return [];
  }

  /** A key of its own for each message: a topic that is compacted by mistake loses none. */
  private messagesOf(tick: Tick): Message[] {
    return sealTick(tick, this.options.envelopes).map((value, part) => ({
      key: `${tick.seq}.${part}`,
      value,
      partition: 0,
    }));
  }

  /** 0: none. A tick whose last part is not there counts not. */
  private async lastInTopic(): Promise<number> {
    const { low, high } = await this.options.topic.offsets();
    if (high <= low) return 0;
    const tail = await readRange(this.options.topic, high - TAIL > low ? high - TAIL : low, high, 15_000);
    const headers = tail.map((m) => this.header(m)).filter((h) => h !== null);
    return headers.reduce((last, h) => (h.last ? Math.max(last, h.seq) : last), 0);
  }

  private header(message: Buffer): EnvelopeHeader | null {
    try {
      return this.options.envelopes.open(message);
    } catch {
      return null;
    }
  }
}

const REQUEST_BYTES = 1024 * 1024;

/** A request holds many small messages, or one large one. */
function* requestsOf(messages: readonly Message[]): Generator<readonly Message[]> {
  let request: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.value?.length ?? 0;
    if (request.length > 0 && bytes + size > REQUEST_BYTES) {
      yield request;
      [request, bytes] = [[], 0];
    }
    request.push(message);
    bytes += size;
  }
  if (request.length > 0) yield request;
}
