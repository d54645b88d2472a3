import type { RegionConfig } from '@meridian/config';
import type { FeedBus, RateLimiter } from '@meridian/core';
import { MemoryFeedBus, MemoryRateLimiter, RedisFeedBus, RedisRateLimiter } from '@meridian/redis';
import type { Logger } from 'pino';

/** What the instances of one region share beside their database. Redis only saves waiting: without it each goes on alone. */
export interface Instances {
  readonly bus: FeedBus;
  readonly limiter: RateLimiter;
  close(): Promise<void>;
}

export function openInstances(config: RegionConfig, log: Logger): Instances {
  const { cluster, region, redis } = config;
  if (redis === null) return closing(new MemoryFeedBus(), new MemoryRateLimiter());
  const prefix = `meridian:${cluster}:${region}`;
  const onAvailable = (available: boolean, reason: string) =>
    available
      ? log.info(`Redis is there: ${reason}`)
      : log.warn(`Redis is away, this instance goes on alone: ${reason}`);
  return closing(new RedisFeedBus({ url: redis, prefix, onAvailable }), new RedisRateLimiter({ url: redis, prefix }));
}

const closing = (bus: FeedBus, limiter: RateLimiter): Instances => ({
  bus,
  limiter,
  close: async () => void (await Promise.all([bus.close(), limiter.close()])),
});
