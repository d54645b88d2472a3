import { randomBytes } from 'node:crypto';
import { regionId, seq, type DeliveredTick, type RegionId, type Tick, type Transport } from '@meridian/core';
import type { MemoryLog } from './memory-log.js';
import { SampleOrigin } from './sample-ticks.js';

/** Regions joined by the transport under test, each with a log in memory that the transport reads from. */
export interface ContractCluster {
  region(name: RegionId): { readonly log: MemoryLog; readonly transport: Transport };
  /** The region's service stops answering its peers; its log is lost to them. */
  silence(name: RegionId): Promise<void>;
  stop(): Promise<void>;
}

export type MakeCluster = (regions: readonly RegionId[]) => Promise<ContractCluster>;

const us = regionId('us');
const eu = regionId('eu');
const ap = regionId('ap');

/** What every transport promises (libs/core/src/ports/transport.ts), run on each of them. */
export function transportContract(name: string, make: MakeCluster): void {
  describe(`${name} transport`, () => {
    let cluster: ContractCluster;
    let origin: SampleOrigin;
    let stopped: AbortController;

    beforeEach(async () => {
      cluster = await make([us, eu, ap]);
      origin = new SampleOrigin(us);
      stopped = new AbortController();
    });
    afterEach(async () => {
      stopped.abort();
      await cluster.stop();
    });

    const publish = async (...ticks: readonly Tick[]): Promise<void> => {
      for (const tick of ticks) {
        cluster.region(us).log.append(tick);
        await cluster.region(us).transport.publish(tick);
      }
    };
    const subscribe = (at: RegionId, from = 1, position: string | null = null): AsyncIterator<DeliveredTick> =>
      cluster.region(at).transport.subscribe(us, seq(from), stopped.signal, position)[Symbol.asyncIterator]();

    it('delivers what was published before and after the subscription, in order and unaltered', async () => {
      const before = origin.ticks(5);
      await publish(...before);
      const stream = subscribe(eu);
      expect(await take(stream, 5)).toEqual(before);
      const after = origin.ticks(5);
      const arriving = take(stream, 5);
      await publish(...after);
      expect(await arriving).toEqual(after);
    });

    it('begins at any seq', async () => {
      const ticks = origin.ticks(9);
      await publish(...ticks);
      expect(await take(subscribe(eu, 7), 3)).toEqual(ticks.slice(6));
    });

    it('goes on behind the position that it gave with the last applied tick', async () => {
      const ticks = origin.ticks(6);
      await publish(...ticks);
      const first = subscribe(eu);
      await take(first, 2);
      const third = (await first.next()).value as DeliveredTick;
      await first.return?.();
      expect(await take(subscribe(eu, 4, third.position), 3)).toEqual(ticks.slice(3));
    });

    it('serves every region by itself', async () => {
      const ticks = origin.ticks(4);
      const streams = [subscribe(eu), subscribe(ap)];
      await publish(...ticks);
      expect(await Promise.all(streams.map((s) => take(s, 4)))).toEqual([ticks, ticks]);
    });

    it('carries heartbeats, odd column names and text of every script', async () => {
      const odd = { constructor: '1', 'tab\there': 'line\nbreak', 'Ünï 🙂': null, '1': '\\u0000' };
      const ticks = [origin.tick(), origin.tick(odd, JSON.parse('{"__proto__": "x"}') as Record<string, string>)];
      await publish(...ticks);
      expect(await take(subscribe(eu), 2)).toEqual(ticks);
    });

    it('delivers a large tick and a large value whole', async () => {
      const value = randomBytes(1_500_000).toString('base64');
      const many = Array.from({ length: 6_000 }, (_, i) => ({ note: `${i} `.repeat(40) }));
      const ticks = [origin.tick({ qty: '1' }), origin.tick({ note: value }, ...many), origin.tick({ qty: '2' })];
      await publish(...ticks);
      expect(await take(subscribe(eu), 3)).toEqual(ticks);
    });

    it('does not let a subscriber that stops pulling hold up the others, and serves it when it goes on', async () => {
      const slow = subscribe(eu);
      const ticks = Array.from({ length: 60 }, (_, i) =>
        origin.tick({ note: randomBytes(30_000).toString('hex'), i: `${i}` }),
      );
      await publish(ticks[0]!);
      expect(await take(slow, 1)).toEqual(ticks.slice(0, 1));
      const quick = take(subscribe(ap), 60);
      await publish(...ticks.slice(1));
      expect(await quick).toEqual(ticks);
      expect(await take(slow, 59)).toEqual(ticks.slice(1));
    });

    it('ends a subscription when its signal aborts, while it waits', async () => {
      await publish(...origin.ticks(1));
      const stream = subscribe(eu);
      await take(stream, 1);
      const next = stream.next();
      stopped.abort();
      expect((await next).done).toBe(true);
    });

    it('ends a subscription when the transport closes', async () => {
      await publish(...origin.ticks(1));
      const stream = subscribe(eu);
      await take(stream, 1);
      const next = stream.next();
      await cluster.region(eu).transport.close();
      expect((await next).done).toBe(true);
    });

    it('fetches just the ticks that are asked for', async () => {
      const ticks = origin.ticks(9);
      await publish(...ticks);
      const { transport } = cluster.region(eu);
      expect(await transport.fetch(us, seq(3), seq(5))).toEqual(ticks.slice(2, 5));
      expect(await transport.fetch(us, seq(8), seq(20))).toEqual(ticks.slice(7));
      expect(await transport.fetch(us, seq(10), seq(12))).toEqual([]);
    });

    it('fetches ticks of an origin that is gone from a peer that has them', async () => {
      const ticks = origin.ticks(4);
      cluster.region(ap).log.append(...ticks);
      await cluster.silence(us);
      expect(await cluster.region(eu).transport.fetch(us, seq(2), seq(4))).toEqual(ticks.slice(1));
    });

    it('fetches nothing when nobody answers', async () => {
      await Promise.all([cluster.silence(us), cluster.silence(ap)]);
      expect(await cluster.region(eu).transport.fetch(us, seq(1), seq(4))).toEqual([]);
    });
  });
}

async function take(stream: AsyncIterator<DeliveredTick>, count: number): Promise<readonly Tick[]> {
  const ticks: Tick[] = [];
  while (ticks.length < count) {
    const next = await stream.next();
    if (next.done === true) throw new Error(`the stream ended after ${ticks.length} of ${count} ticks`);
    ticks.push(next.value.tick);
  }
  return ticks;
}
