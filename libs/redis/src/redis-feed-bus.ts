import { randomUUID } from 'node:crypto';
import { REGION_NAME, type FeedBus, type FeedEvent, type RegionId, type Seq } from '@meridian/core';
import { MemoryFeedBus } from './memory-feed-bus.js';
import { RedisClient, type RedisEvents } from './redis-client.js';

export interface RedisFeedBusOptions extends RedisEvents {
  readonly url: string;
  /** One channel per region: `meridian:shop:us`. */
  readonly prefix: string;
}

/** Events go to this process at once and to the region's other instances over Redis; without it, to this process only. */
export class RedisFeedBus implements FeedBus {
  private readonly here = new MemoryFeedBus();
  private readonly instance = randomUUID();
  private readonly channel: string;
  private readonly sender: RedisClient;
  /** A connection that is subscribed can do nothing else. */
  private readonly receiver: RedisClient;

  constructor(options: RedisFeedBusOptions) {
    this.channel = `${options.prefix}:feed`;
    this.sender = new RedisClient(options.url, options);
    this.receiver = new RedisClient(options.url, {}, undefined, { autoResubscribe: false });
    this.receiver.redis.on('ready', () => void this.listen());
    this.receiver.redis.on('message', (_channel, text) => this.received(text));
  }

  publish(event: FeedEvent): void {
    this.here.publish(event);
    const text = JSON.stringify({ from: this.instance, ...event });
    void this.sender.attempt((redis) => redis.publish(this.channel, text));
  }

  subscribe(listener: (event: FeedEvent) => void): () => void {
    return this.here.subscribe(listener);
  }

  async close(): Promise<void> {
    this.sender.close();
    this.receiver.close();
    await this.here.close();
  }

  /** Whatever was published while we were not subscribed is gone: all have a look. */
  private async listen(): Promise<void> {
    const subscribed = await this.receiver.redis.subscribe(this.channel).catch(() => null);
    if (subscribed === null) this.receiver.redis.disconnect(true);
    else this.here.publish({ kind: 'missed' });
  }

  private received(text: string): void {
    const message = parseMessage(text);
    if (message !== null && message.from !== this.instance) this.here.publish(message.event);
  }
}

/** Null for what none of our instances would send: Redis is shared, and what comes from it is untrusted. */
function parseMessage(text: string): { readonly from: string; readonly event: FeedEvent } | null {
  try {
    const { from, kind, origin, seq } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof from !== 'string') return null;
    if (kind === 'missed') return { from, event: { kind } };
    if (kind !== 'visible' || typeof origin !== 'string' || !REGION_NAME.test(origin)) return null;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq)) return null;
    return { from, event: { kind, origin: origin as RegionId, seq: seq as Seq } };
  } catch {
    return null;
  }
}
