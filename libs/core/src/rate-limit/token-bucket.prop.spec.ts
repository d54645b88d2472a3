import fc from 'fast-check';
import { takeTokens, type TokenBucket } from './token-bucket.js';

const limit = fc.record({ burst: fc.integer({ min: 1, max: 50 }), perSecond: fc.integer({ min: 1, max: 100 }) });
const asks = fc.array(
  fc.record({ afterMs: fc.integer({ min: -500, max: 3_000 }), cost: fc.integer({ min: 1, max: 5 }) }),
  {
    maxLength: 60,
  },
);

describe('laws of the token bucket', () => {
  it('never grants more than the burst and what has grown since', () => {
    fc.assert(
      fc.property(limit, asks, (rate, sequence) => {
        let [now, granted] = [1_000, 0];
        let [first, latest] = [Infinity, -Infinity];
        let bucket: TokenBucket | undefined;
        for (const { afterMs, cost } of sequence) {
          now += afterMs;
          first = Math.min(first, bucket === undefined ? now : first);
          latest = Math.max(latest, now);
          const taken = takeTokens(bucket, rate, cost, now);
          bucket = taken.bucket;
          granted += taken.allowed ? cost : 0;
          expect(granted).toBeLessThanOrEqual(rate.burst + ((latest - first) * rate.perSecond) / 1_000 + 1e-6);
          expect(taken.remaining).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('grants what it refused, once the time that it named has passed', () => {
    fc.assert(
      fc.property(limit, asks, (rate, sequence) => {
        let now = 1_000;
        let bucket: TokenBucket | undefined;
        for (const { afterMs, cost } of sequence) {
          now += Math.max(0, afterMs);
          const taken = takeTokens(bucket, rate, cost, now);
          bucket = taken.bucket;
          if (taken.allowed || taken.retryAfterMs === Infinity) continue;
          expect(takeTokens(bucket, rate, cost - 1e-6, now + taken.retryAfterMs).allowed).toBe(true);
        }
      }),
    );
  });

  it('never grants what exceeds the burst', () => {
    fc.assert(
      fc.property(limit, fc.nat(), (rate, now) => {
        expect(takeTokens(undefined, rate, rate.burst + 1, now)).toMatchObject({
          allowed: false,
          retryAfterMs: Infinity,
        });
      }),
    );
  });
});
