import { MemoryRateLimiter } from './memory-rate-limiter.js';

const limit = { burst: 3, perSecond: 2 };

describe('the rate limiter of one process', () => {
  it('lets a burst through, then as much as grows', async () => {
    let now = 0;
    const limiter = new MemoryRateLimiter(() => now);
    for (const left of [2, 1, 0])
      expect(await limiter.take('a', limit)).toEqual({ allowed: true, remaining: left, retryAfterMs: 0 });
    expect(await limiter.take('a', limit)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 500 });
    now += 500;
    expect((await limiter.take('a', limit)).allowed).toBe(true);
    expect((await limiter.take('a', limit)).allowed).toBe(false);
  });

  it('counts every caller by itself, whatever its name', async () => {
    const limiter = new MemoryRateLimiter(() => 0);
    for (const key of ['a', '__proto__', 'constructor', ''])
      expect((await limiter.take(key, { burst: 1, perSecond: 1 })).allowed).toBe(true);
    expect((await limiter.take('__proto__', { burst: 1, perSecond: 1 })).allowed).toBe(false);
  });

  it('forgets callers whose bucket is full, and is bounded when none is', async () => {
    let now = 0;
    const limiter = new MemoryRateLimiter(() => now);
    for (let i = 0; i < 1_000; i++) await limiter.take(`a${i}`, limit);
    now += 10_000;
    for (let i = 0; i < 1_000; i++) await limiter.take(`b${i}`, limit);
    expect(limiter.size).toBeLessThanOrEqual(1_001);
    for (let i = 0; i < 101_000; i++) await limiter.take(`c${i}`, { burst: 1, perSecond: 0 });
    expect(limiter.size).toBeLessThanOrEqual(100_001);
  });
});
