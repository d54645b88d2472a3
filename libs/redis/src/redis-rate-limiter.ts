import { createHash } from 'node:crypto';
import type { RateDecision, RateLimit, RateLimiter } from '@meridian/core';
import { MemoryRateLimiter } from './memory-rate-limiter.js';
import { RedisClient, type RedisEvents } from './redis-client.js';

/*
 * The token bucket of libs/core (rate-limit/token-bucket.ts), by Redis's clock: one for all instances. One round trip, atomic.
 * Answers {allowed, whole tokens left, milliseconds to wait or -1 for never}.
 */
const TAKE = `
local burst, per_second, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(state[1]), tonumber(state[2])
if tokens == nil or at == nil then tokens, at = burst, now end
if now < at then now = at end
tokens = math.min(burst, tokens + (now - at) * per_second / 1000)
local allowed = 0
local wait = 0
if tokens >= cost then
  tokens = tokens - cost
  allowed = 1
elseif cost > burst or per_second <= 0 then
  wait = -1
else
  wait = math.ceil((cost - tokens) * 1000 / per_second)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%d', now))
local full = 86400000
if per_second > 0 then full = math.min(full, math.ceil((burst - tokens) * 1000 / per_second) + 1000) end
redis.call('PEXPIRE', KEYS[1], full)
return {allowed, math.floor(tokens), wait}
`;

export interface RedisRateLimiterOptions extends RedisEvents {
  readonly url: string;
  /** Keeps regions, clusters and other users of one Redis apart: `meridian:shop:us`. */
  readonly prefix: string;
  readonly now?: () => number;
}

/** Counts in Redis; while that is away each instance counts by itself, and no request fails. */
export class RedisRateLimiter implements RateLimiter {
  private readonly client: RedisClient;
  private readonly alone: MemoryRateLimiter;

  constructor(private readonly options: RedisRateLimiterOptions) {
    this.client = new RedisClient(options.url, options, options.now);
    this.alone = new MemoryRateLimiter(options.now);
    this.client.redis.defineCommand('meridianTake', { numberOfKeys: 1, lua: TAKE });
  }

  async take(key: string, limit: RateLimit, cost = 1): Promise<RateDecision> {
    const answer = await this.client.attempt((redis) =>
      (redis as unknown as TakeCommand).meridianTake(this.redisKey(key), limit.burst, limit.perSecond, cost),
    );
    return decisionOf(answer) ?? this.alone.take(key, limit, cost);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.alone.close();
  }

  /** Hashed: a caller's text may be long, secret, or full of Redis's own separators. */
  private redisKey(key: string): string {
    return `${this.options.prefix}:rate:${createHash('sha256').update(key).digest('base64url')}`;
  }
}

interface TakeCommand {
  meridianTake(key: string, burst: number, perSecond: number, cost: number): Promise<unknown>;
}

/** Null for no answer, or for one that our script did not give. */
function decisionOf(answer: unknown): RateDecision | null {
  if (!Array.isArray(answer) || answer.length !== 3 || !answer.every((n) => typeof n === 'number')) return null;
  const [allowed, remaining, wait] = answer as [number, number, number];
  return { allowed: allowed === 1, remaining, retryAfterMs: wait < 0 ? Infinity : wait };
}
