import type { RateDecision, RateLimit } from '../ports/rate-limiter.js';

/** Tokens left at a moment; between two moments they grow by themselves, so nothing has to run. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: number;
}

export interface TokensTaken extends RateDecision {
  readonly bucket: TokenBucket;
}

/** Takes `cost` tokens at `nowMs`, or none when there are not as many. A clock that goes back gives and takes nothing. */
export function takeTokens(
  before: TokenBucket | undefined,
  limit: RateLimit,
  cost: number,
  nowMs: number,
): TokensTaken {
  const at = Math.max(nowMs, before?.at ?? nowMs);
  const grown = before === undefined ? limit.burst : before.tokens + ((at - before.at) * limit.perSecond) / 1000;
  const tokens = Math.min(limit.burst, grown);
  const allowed = tokens >= cost;
  const left = allowed ? tokens - cost : tokens;
  return {
    allowed,
    remaining: Math.floor(left),
    retryAfterMs: allowed ? 0 : waitFor(cost - tokens, cost, limit),
    bucket: { tokens: left, at },
  };
}

const waitFor = (missing: number, cost: number, limit: RateLimit): number =>
  cost > limit.burst || limit.perSecond <= 0 ? Infinity : Math.ceil((missing * 1000) / limit.perSecond);

/** When the bucket is full again, and need not be remembered any more. */
export const fullAt = (bucket: TokenBucket, limit: RateLimit): number =>
  limit.perSecond <= 0 ? Infinity : bucket.at + ((limit.burst - bucket.tokens) * 1000) / limit.perSecond;
