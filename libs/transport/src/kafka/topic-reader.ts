import type { Consumer, EachBatchPayload } from 'kafkajs';
import { pause, unlessAborted } from '../cancellation.js';
import { Backoff } from '../direct/backoff.js';
import { MessageQueue } from './message-queue.js';
import { quietly, type OriginTopic } from './topic.js';

export interface ReaderEvents {
  readonly connected: () => void;
  readonly failed: (reason: string) => void;
}

/**
 * Reads one topic into a queue from an offset on, for ever: a broker that is gone, a topic that was deleted, an offset that
 * has expired (then from the first one kept) are all gone through; what is missing shows by the ticks' seqs.
 */
export class TopicReader {
  readonly queue = new MessageQueue();

  constructor(
    private readonly topic: OriginTopic,
    private offset: bigint | null,
    private readonly events: ReaderEvents,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(100, 5_000);
    while (!signal.aborted) {
      const before = this.offset;
      const session = this.session(signal).catch((error: Error) => this.events.failed(error.message));
      await unlessAborted(session, signal);
      // It leaves its group. kafkajs may instead wait for an answer, for 10 s and longer: not we.
      if (signal.aborted) await quietly(session);
      if (this.offset !== before) backoff.reset();
      await pause(backoff.nextMs(), signal);
    }
  }

  /** One consumer, from its joining to its failure. */
  private async session(signal: AbortSignal): Promise<void> {
    await this.topic.ensure();
    if (signal.aborted) return;
    const consumer = this.topic.consumer();
    const over = new AbortController();
    const end = (): void => over.abort();
    let crash: Error | null = null;
    signal.addEventListener('abort', end);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      crash = payload.error;
      end();
    });
    // Also after a rebalance: a group without commits would begin at the start of the topic.
    consumer.on(consumer.events.GROUP_JOIN, () => this.seek(consumer));
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: this.topic.name, fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatch: (batch) => this.accept(batch, over.signal) });
      this.events.connected();
      await aborted(over.signal);
    } finally {
      end();
      signal.removeEventListener('abort', end);
      await quietly(consumer.disconnect());
    }
    if (crash !== null) throw crash as Error;
  }

  private seek(consumer: Consumer): void {
    if (this.offset !== null) consumer.seek({ topic: this.topic.name, partition: 0, offset: this.offset.toString() });
  }

  private async accept(payload: EachBatchPayload, signal: AbortSignal): Promise<void> {
    const { batch } = payload;
    if (batch.partition !== 0) return;
    for (const message of batch.messages) {
      while (this.queue.full && !signal.aborted && payload.isRunning()) {
        await this.queue.next(1_000, signal);
        await payload.heartbeat();
      }
      if (signal.aborted || !payload.isRunning()) return;
      const offset = BigInt(message.offset);
      this.offset = offset + 1n;
      this.queue.push({ offset, value: message.value ?? Buffer.alloc(0) });
    }
    await payload.heartbeat();
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** The messages from an offset up to (not including) another one, in order. For looking at the end of a topic. */
export async function readRange(
  topic: OriginTopic,
  from: bigint,
  to: bigint,
  timeoutMs: number,
): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  const stop = new AbortController();
  const reader = new TopicReader(topic, from, { connected: () => undefined, failed: () => undefined });
  const running = reader.run(stop.signal);
  const deadline = Date.now() + timeoutMs;
  try {
    for (let seen = from; seen < to;) {
      const message = reader.queue.take();
      if (message !== null) {
        found.push(message.value);
        seen = message.offset + 1n;
      } else if (Date.now() < deadline) await reader.queue.next(deadline - Date.now(), stop.signal);
      else throw new Error(`${topic.name}: its last messages could not be read within ${timeoutMs} ms`);
    }
    return found;
  } finally {
    stop.abort();
    await running;
  }
}
