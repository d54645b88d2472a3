import {
  fullAt,
  takeTokens,
  type RateDecision,
  type RateLimit,
  type RateLimiter,
  type TokenBucket,
} from '@meridian/core';

/** Callers remembered at a time. Beyond it the ones longest unseen are forgotten, which is in their favour. */
const MAX_KEYS = 100_000;

/** Counts in this process: for a region without Redis, and while Redis is away. */
export class MemoryRateLimiter implements RateLimiter {
  /** Longest unseen first. */
  private readonly buckets = new Map<string, { readonly bucket: TokenBucket; readonly fullAt: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  async take(key: string, limit: RateLimit, cost = 1): Promise<RateDecision> {
    const now = this.now();
    const { bucket, ...decision } = takeTokens(this.buckets.get(key)?.bucket, limit, cost, now);
    this.buckets.delete(key);
    this.buckets.set(key, { bucket, fullAt: fullAt(bucket, limit) });
    this.forget(now);
    return decision;
  }

  /** How many callers are remembered. */
  get size(): number {
    return this.buckets.size;
  }

  async close(): Promise<void> {
    this.buckets.clear();
  }

  /** A full bucket says nothing. Looks at a few at a time, so that no request pays for all. */
  private forget(now: number): void {
    let looks = 2;
    for (const [key, entry] of this.buckets) {
      if (this.buckets.size <= MAX_KEYS && (looks-- === 0 || entry.fullAt > now)) return;
      this.buckets.delete(key);
    }
  }
}
