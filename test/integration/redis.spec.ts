import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { regionId, seq, type FeedEvent } from '@meridian/core';
import { RedisFeedBus, RedisRateLimiter } from '@meridian/redis';
import { Redis } from 'ioredis';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { freePorts } from './free-ports.js';

const docker = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('docker', args);
const visible = (n: number): FeedEvent => ({ kind: 'visible', origin: regionId('eu'), seq: seq(n) });

let container: StartedTestContainer;
let url: string;
let opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  const [port] = await freePorts(1);
  container = await new GenericContainer(process.env['MERIDIAN_TEST_REDIS_IMAGE'] ?? 'redis:7')
    .withExposedPorts({ container: 6379, host: port! })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
  url = `redis://127.0.0.1:${port}`;
});
afterAll(() => container?.stop({ timeout: 0 }));
afterEach(async () => {
  await Promise.all(opened.map((o) => o.close()));
  opened = [];
});

const states: string[] = [];
const limiter = (prefix = `t:${expect.getState().currentTestName}`): RedisRateLimiter => {
  const made = new RedisRateLimiter({ url, prefix, onAvailable: (up) => states.push(up ? 'up' : 'down') });
  opened.push(made);
  return made;
};
const bus = (): { readonly bus: RedisFeedBus; readonly heard: FeedEvent[] } => {
  const made = new RedisFeedBus({ url, prefix: `t:${expect.getState().currentTestName}` });
  opened.push(made);
  const heard: FeedEvent[] = [];
  made.subscribe((event) => heard.push(event));
  return { bus: made, heard };
};

describe('the rate limiter on Redis', () => {
  const limit = { burst: 5, perSecond: 0.001 };

  it('counts a caller over all instances, and says when to come again', async () => {
    const [a, b] = [limiter(), limiter()];
    await both(a, b);
    for (const [i, each] of [a, b, a, b, a].entries())
      expect(await each.take('caller', limit)).toEqual({ allowed: true, remaining: 4 - i, retryAfterMs: 0 });
    const refused = await b.take('caller', limit);
    expect(refused.allowed).toBe(false);
    expect(refused.retryAfterMs).toBeGreaterThan(900_000);
    expect((await a.take('another', limit)).allowed).toBe(true);
    expect((await a.take('another', limit, 6)).retryAfterMs).toBe(Infinity);
  });

  it('does not report as a loss that it was closed', async () => {
    const [one, other] = [limiter(), limiter()];
    await both(one, other);
    states.length = 0;
    await one.close();
    const third = limiter();
    await both(other, third);
    expect(states).toEqual(['up']);
  });

  it('fills the bucket again as time passes', async () => {
    const one = limiter();
    await both(one);
    const quick = { burst: 1, perSecond: 20 };
    expect((await one.take('caller', quick)).allowed).toBe(true);
    const { allowed, retryAfterMs } = await one.take('caller', quick);
    expect([allowed, retryAfterMs > 0 && retryAfterMs <= 50]).toEqual([false, true]);
    await until(async () => (await one.take('caller', quick)).allowed);
  });

  it('leaves nothing behind for ever', async () => {
    const one = limiter('t:expiry');
    await both(one);
    await one.take('caller', { burst: 5, perSecond: 1 });
    const redis = new Redis(url);
    const keys = await redis.keys('t:expiry:*');
    const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
    redis.disconnect();
    expect(ttls.length).toBeGreaterThan(0);
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(0);
  });

  it('starts anew when Redis is flushed, and when it holds nonsense under our key counts alone', async () => {
    const one = limiter('t:flush');
    await both(one);
    const redis = new Redis(url);
    for (let i = 0; i < 6; i++) await one.take('caller', limit);
    await redis.flushall();
    expect(await one.take('caller', limit)).toMatchObject({ allowed: true, remaining: 4 });
    const [key] = await redis.keys('t:flush:*');
    await redis.set(key!, 'nonsense');
    expect((await one.take('caller', limit)).allowed).toBe(true);
    redis.disconnect();
  });

  it('never fails and hardly waits while Redis hangs or is dead, limits alone, and recovers', async () => {
    const one = limiter();
    await both(one);
    for (const [stop, start] of [
      ['pause', 'unpause'],
      ['kill', 'start'],
    ] as const) {
      states.length = 0;
      await docker(stop, container.getId());
      const since = Date.now();
      const answers = [];
      for (let i = 0; i < 8; i++) answers.push((await one.take(`alone ${stop}`, limit)).allowed);
      expect(Date.now() - since).toBeLessThan(1_500);
      expect(answers.slice(-1)).toEqual([false]);
      expect(answers.filter(Boolean)).toHaveLength(5);
      await until(async () => states.includes('down'));
      await docker(start, container.getId());
      await until(async () => (await one.take('probe', { burst: 1e6, perSecond: 1 }), states.at(-1) === 'up'));
    }
  });
});

describe('the feed bus on Redis', () => {
  it('tells the other instances, and this one once', async () => {
    const [a, b] = [bus(), bus()];
    await connected(a, b);
    a.bus.publish(visible(1));
    expect(a.heard).toContainEqual(visible(1));
    await until(async () => b.heard.some((e) => e.kind === 'visible'));
    b.bus.publish(visible(2));
    await until(async () => a.heard.length >= 3);
    expect(a.heard.filter((e) => e.kind === 'visible')).toEqual([visible(1), visible(2)]);
  });

  it('is not disturbed by what strangers publish', async () => {
    const a = bus();
    await connected(a);
    const redis = new Redis(url);
    const channel = `t:${expect.getState().currentTestName}:feed`;
    for (const text of [
      '',
      'null',
      '[]',
      '{"from":1}',
      '{"from":"x","kind":"visible","origin":"__proto__","seq":1}',
      '{"from":"x","kind":"visible","origin":"eu","seq":"1"}',
    ])
      await redis.publish(channel, text);
    await redis.publish(channel, JSON.stringify({ from: 'x', ...visible(7) }));
    redis.disconnect();
    await until(async () => a.heard.some((e) => e.kind === 'visible'));
    expect(a.heard.filter((e) => e.kind === 'visible')).toEqual([visible(7)]);
  });

  it('goes on in the process while Redis is dead, and tells all to look once it is back', async () => {
    const [a, b] = [bus(), bus()];
    await connected(a, b);
    await docker('kill', container.getId());
    a.bus.publish(visible(1));
    expect(a.heard).toContainEqual(visible(1));
    b.heard.length = 0;
    await docker('start', container.getId());
    await until(async () => b.heard.some((e) => e.kind === 'missed'));
    await until(async () => (a.bus.publish(visible(2)), b.heard.some((e) => e.kind === 'visible')));
  });

  it('works from the first moment, with a Redis that was never there', async () => {
    const alone = new RedisFeedBus({ url: 'redis://127.0.0.1:1', prefix: 'nobody' });
    const heard: FeedEvent[] = [];
    alone.subscribe((event) => heard.push(event));
    alone.publish(visible(1));
    expect(heard).toEqual([visible(1)]);
    await alone.close();
  });
});

/** Counting in common begins once they are connected: until then each counts alone. */
async function both(...limiters: readonly RedisRateLimiter[]): Promise<void> {
  const redis = new Redis(url);
  for (const [i, each] of limiters.entries())
    await until(async () => {
      await redis.flushall();
      await each.take(`ready ${i}`, { burst: 10, perSecond: 1 });
      return (await redis.dbsize()) > 0;
    });
  await redis.flushall();
  redis.disconnect();
}

const connected = (...buses: readonly { readonly heard: FeedEvent[] }[]): Promise<void> =>
  until(async () => buses.every(({ heard }) => heard.some((e) => e.kind === 'missed')));

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
