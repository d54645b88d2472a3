import { takeTokens, type RateLimit, type TokenBucket } from '@meridian/core';

/** About milliseconds that others have to wait: ending a thread and taking over costs most. */
const POINTS = 30;
/** Two calls that had to be stopped; one every half minute is put up with for ever. Steps that run out are bounded, and cost no thread. */
const PATIENCE: RateLimit = { burst: 60, perSecond: 1 };
const FIRST_MILLIS = 60_000;
const LONGEST_MILLIS = 3_600_000;

interface Standing {
  readonly bucket: TokenBucket | undefined;
  /** 0: not suspended. Doubles with every trial that fails. */
  readonly forMillis: number;
  readonly untilMillis: number;
}

export interface Suspension {
  readonly id: number;
  /** When one call is let through again, as a trial; milliseconds since 1970. */
  readonly untilMillis: number;
}

/**
 * Keeps a function that takes too much from delaying others: its calls fail at once. After a minute one call is tried; if it
 * takes too much, too, the function is left alone twice as long, up to an hour; otherwise it is as good as new.
 */
export class Suspensions {
  private readonly standings = new Map<number, Standing>();

  constructor(private readonly now: () => number) {}

  admits(id: number): boolean {
    const standing = this.standings.get(id);
    return standing === undefined || standing.forMillis === 0 || this.now() >= standing.untilMillis;
  }

  /** The next call that is admitted is a trial. */
  isOnTrial(id: number): boolean {
    return (this.standings.get(id)?.forMillis ?? 0) > 0;
  }

  stopped(id: number): void {
    const before = this.standings.get(id);
    const nowMillis = this.now();
    const taken = takeTokens(before?.bucket, PATIENCE, POINTS, nowMillis);
    const suspended = this.isOnTrial(id) || !taken.allowed || taken.remaining < POINTS;
    const forMillis = suspended ? Math.min(LONGEST_MILLIS, Math.max(FIRST_MILLIS, (before?.forMillis ?? 0) * 2)) : 0;
    this.standings.set(id, { bucket: taken.bucket, forMillis, untilMillis: nowMillis + forMillis });
  }

  /** A call has ended by itself. */
  ended(id: number): void {
    if (this.isOnTrial(id)) this.standings.delete(id);
  }

  lift(id: number): void {
    this.standings.delete(id);
  }

  all(): Suspension[] {
    return [...this.standings].flatMap(([id, { forMillis, untilMillis }]) =>
      forMillis > 0 ? [{ id, untilMillis }] : [],
    );
  }
}
