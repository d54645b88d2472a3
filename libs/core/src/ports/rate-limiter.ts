/** A bucket of `burst` tokens that fills by `perSecond`. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly remaining: number;
  /** 0 when allowed; otherwise, how long until as many tokens as asked for are there. Infinity: never. */
  readonly retryAfterMs: number;
}

/** Counts a caller's requests over all instances of a region. Never fails: without its store it counts alone. */
export interface RateLimiter {
  /** `key`: whom it counts, say `key:mk_12` or `ip:10.0.0.1`; any text. */
  take(key: string, limit: RateLimit, cost?: number): Promise<RateDecision>;
  close(): Promise<void>;
}
