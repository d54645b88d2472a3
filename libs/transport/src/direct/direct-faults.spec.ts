import { randomBytes } from 'node:crypto';
import { regionId, seq, type DeliveredTick, type Tick } from '@meridian/core';
import { directCluster, urlOf, type DirectCluster } from '../contract/direct-cluster.js';
import { FaultyProxy } from '../contract/faulty-proxy.js';
import { SampleOrigin } from '../contract/sample-ticks.js';
import type { TransportEvent } from '../transport-event.js';
import { directTransport, type DirectOptions } from './compose.js';

const us = regionId('us');
const eu = regionId('eu');
const ap = regionId('ap');

describe('the direct transport in trouble', () => {
  let cluster: DirectCluster;
  let link: FaultyProxy;
  let origin: SampleOrigin;
  let stopped: AbortController;
  let events: TransportEvent[];
  let closing: { close(): Promise<void> }[];

  beforeEach(async () => {
    cluster = await directCluster([us, ap], { lifeSignMs: 50 });
    link = await FaultyProxy.to(urlOf(cluster.region(us).http));
    origin = new SampleOrigin(us);
    stopped = new AbortController();
    events = [];
    closing = [];
  });
  afterEach(async () => {
    stopped.abort();
    await Promise.all(closing.map((c) => c.close()));
    await link.close();
    await cluster.stop();
  });

  /** A region that reaches us over the damaged link only. */
  const joinEu = (options: Partial<DirectOptions> = {}) => {
    const end = directTransport({
      cluster: 'shop',
      secrets: ['s3cret'],
      region: eu,
      peers: { us: link.url },
      reader: cluster.region(ap).log,
      idleTimeoutMs: 300,
      connectTimeoutMs: 300,
      onEvent: (event) => events.push(event),
      ...options,
    });
    closing.push(end.transport);
    return end;
  };
  const subscribe = (options: Partial<DirectOptions> = {}, from = 1): AsyncIterator<DeliveredTick> =>
    joinEu(options).transport.subscribe(us, seq(from), stopped.signal)[Symbol.asyncIterator]();
  const publish = async (...ticks: readonly Tick[]): Promise<void> => {
    cluster.region(us).log.append(...ticks);
    for (const tick of ticks) await cluster.region(us).transport.publish(tick);
  };
  const withAp = (): Partial<DirectOptions> => ({ peers: { us: link.url, ap: urlOf(cluster.region(ap).http) } });

  it('notices a half-open connection by the missing signs of life, and goes on', async () => {
    const [first, second] = [origin.ticks(2), origin.ticks(2)];
    const stream = subscribe();
    await publish(...first);
    expect(await take(stream, 2)).toEqual(first);
    link.become('silent');
    const arriving = take(stream, 2);
    await publish(...second);
    await until(() => events.some((e) => e.kind === 'disconnected' && e.reason.includes('no byte for 300 ms')));
    link.become('open');
    expect(await arriving).toEqual(second);
  });

  it('does not take a quiet origin for a dead one', async () => {
    const stream = subscribe();
    await publish(...origin.ticks(1));
    await take(stream, 1);
    const quiet = stream.next();
    const before = link.passed;
    await until(() => link.passed > before + 40);
    await publish(...origin.ticks(1));
    await quiet;
    expect(events.map((e) => e.kind)).toEqual(['connected']);
  });

  it('waits for a tick that takes longer on a slow link than an origin without ticks is waited for', async () => {
    const stream = subscribe({ stallMs: 250, idleTimeoutMs: 2_000 });
    await publish(...origin.ticks(1));
    await take(stream, 1);
    link.rate = 1_000_000;
    // Two parts, and a second and a half.
    const large = origin.tick({ note: randomBytes(1_100_000).toString('base64') });
    await publish(large);
    expect(await take(stream, 1)).toEqual([large]);
    expect(events.map((e) => e.kind)).toEqual(['connected']);
  });

  it('delivers everything once and in order over a link that breaks again and again', async () => {
    const ticks = Array.from({ length: 300 }, (_, i) =>
      origin.tick({ note: randomBytes(2_000).toString('hex'), i: `${i}` }),
    );
    await publish(...ticks);
    const breaking = setInterval(() => link.reset(), 15);
    const arrived = await take(subscribe(), 300);
    clearInterval(breaking);
    expect(arrived).toEqual(ticks);
  });

  it('refuses what was altered on the way, counts it, and asks again', async () => {
    const ticks = Array.from({ length: 5 }, () => origin.tick({ note: randomBytes(500).toString('hex') }));
    await publish(...ticks);
    let damages = 3;
    link.damage = (bytes) => {
      if (!bytes.includes('MRD1') || damages-- <= 0) return bytes;
      const copy = Buffer.from(bytes);
      copy[bytes.indexOf('MRD1') + 300]! ^= 1;
      return copy;
    };
    const end = joinEu();
    const stream = end.transport.subscribe(us, seq(1), stopped.signal)[Symbol.asyncIterator]();
    expect(await take(stream, 5)).toEqual(ticks);
    expect(end.refusals.counts().get('bad_signature')).toBe(3);
  });

  it('takes the same ticks from another peer while the origin is unreachable, and returns to it', async () => {
    const [first, second, third] = [origin.ticks(2), origin.ticks(3), origin.ticks(3)];
    const stream = subscribe(withAp());
    await publish(...first);
    expect(await take(stream, 2)).toEqual(first);
    link.become('refusing');
    const arriving = take(stream, 3);
    cluster.region(ap).log.append(...first, ...second);
    expect(await arriving).toEqual(second);
    cluster.region(us).log.append(...second);
    link.become('open');
    const again = take(stream, 3);
    await publish(...third);
    expect(await again).toEqual(third);
    expect(events.some((e) => e.kind === 'connected' && e.source === 'ap')).toBe(true);
  });

  it('takes from another peer what has left the log of the origin', async () => {
    const ticks = origin.ticks(6);
    cluster.region(us).log.append(...ticks);
    cluster.region(us).log.forgetBelow(us, seq(4));
    cluster.region(ap).log.append(...ticks.slice(0, 4));
    expect(await take(subscribe({ ...withAp(), stallMs: 250 }), 6)).toEqual(ticks);
  });

  it('reads no further in the log than a peer that does not pull has taken', async () => {
    const ticks = Array.from({ length: 900 }, () => origin.tick({ note: randomBytes(20_000).toString('hex') }));
    const { log } = cluster.region(us);
    log.append(...ticks);
    const stream = subscribe();
    await take(stream, 1);
    let before = -1;
    // Until all buffers on the way are full and nothing moves any more.
    while (before !== link.passed) {
      before = link.passed;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(link.passed).toBeLessThan(12_000_000);
    const reads = log.reads;
    expect(await take(stream, 899)).toEqual(ticks.slice(1));
    expect(log.reads).toBeGreaterThan(reads);
  });

  it('gives nothing to, and takes nothing from, who does not hold the secret', async () => {
    await publish(...origin.ticks(3));
    const stream = subscribe({ secrets: ['guessed'] });
    const next = stream.next();
    await until(() => events.length > 0);
    expect(events[0]).toMatchObject({
      kind: 'disconnected',
      reason: expect.stringContaining('answered 401') as string,
    });
    stopped.abort();
    expect((await next).done).toBe(true);
  });

  it('goes on while the secret is changed: the old one is still taken', async () => {
    const ticks = origin.ticks(2);
    await publish(...ticks);
    expect(await take(subscribe({ secrets: ['s3cret', 'older'] }), 2)).toEqual(ticks);
  });

  it('reaches a peer whose clock is an hour off', async () => {
    const ticks = origin.ticks(2);
    await publish(...ticks);
    expect(await take(subscribe({ now: () => Date.now() + 3_600_000 }), 2)).toEqual(ticks);
  });
});

async function take(stream: AsyncIterator<DeliveredTick>, count: number): Promise<readonly Tick[]> {
  const ticks: Tick[] = [];
  while (ticks.length < count) {
    const next = await stream.next();
    if (next.done === true) throw new Error(`the stream ended after ${ticks.length} of ${count} ticks`);
    ticks.push(next.value.tick);
  }
  return ticks;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
