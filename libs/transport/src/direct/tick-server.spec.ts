import type { IncomingMessage } from 'node:http';
import { regionId } from '@meridian/core';
import { directCluster, type DirectCluster } from '../contract/direct-cluster.js';
import { SampleOrigin } from '../contract/sample-ticks.js';

const us = regionId('us');
const eu = regionId('eu');

describe('the server of ticks', () => {
  let cluster: DirectCluster;
  beforeEach(async () => {
    cluster = await directCluster([us, eu]);
  });
  afterEach(() => cluster.stop());

  const ask = (query: string) => cluster.region(eu).client.call(us, 'GET', `/v1/replication/ticks?${query}`);

  it.each([
    ['no origin', 'from=1'],
    ['an origin that is none', 'origin=__proto__&from=1'],
    ['no beginning', 'origin=us'],
    ['a beginning of 0', 'origin=us&from=0'],
    ['a beginning that is no number', 'origin=us&from=1e3'],
    ['an end before the beginning', 'origin=us&from=5&to=4'],
    ['a wait that is no number', 'origin=us&from=1&wait=soon'],
  ])('refuses %s', async (_what, query) => {
    await expect(
      cluster.region(eu).client.stream(us, `/v1/replication/ticks?${query}`, AbortSignal.timeout(2_000)),
    ).rejects.toThrow(/answered 400/);
  });

  it('says when a tick is no longer kept', async () => {
    const origin = new SampleOrigin(us);
    const { log } = cluster.region(us);
    log.append(...origin.ticks(5));
    log.read = async (_o, from) => (from < 4 ? [origin.tick()] : []);
    await expect(
      cluster.region(eu).client.stream(us, '/v1/replication/ticks?origin=us&from=2', AbortSignal.timeout(2_000)),
    ).rejects.toThrow(/answered 410/);
  });

  it('serves the ticks just published from memory, to any number of peers', async () => {
    const origin = new SampleOrigin(us);
    const ticks = origin.ticks(5);
    for (const tick of ticks) await cluster.region(us).transport.publish(tick);
    expect(await cluster.region(eu).transport.fetch(us, ticks[0]!.seq, ticks[4]!.seq)).toEqual(ticks);
    expect(cluster.region(us).log.reads).toBe(0);
  });

  it('brings ticks of which 64 take longer to make again than a peer waits for an answer', async () => {
    const ticks = new SampleOrigin(us).ticks(70);
    const { log } = cluster.region(us);
    log.append(...ticks);
    const read = log.read.bind(log);
    log.read = async (origin, from, limit) => {
      const made = await read(origin, from, limit);
      await new Promise((resolve) => setTimeout(resolve, made.length * 40));
      return made;
    };
    expect(await cluster.region(eu).transport.fetch(us, ticks[0]!.seq, ticks[69]!.seq)).toEqual(ticks);
  });

  it('brings a tick that takes longer to make again than a peer waits for an answer, or for a tick', async () => {
    await cluster.stop();
    // A machine that is busy answers a second late.
    cluster = await directCluster([us, eu], { lifeSignMs: 50, connectTimeoutMs: 1_500, stallMs: 1_500 });
    const [tick] = new SampleOrigin(us).ticks(1);
    const { log } = cluster.region(us);
    log.append(tick!);
    let made = 0;
    const read = log.read.bind(log);
    log.read = async (...asked) => {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      made++;
      return read(...asked);
    };
    expect(await cluster.region(eu).transport.fetch(us, tick!.seq, tick!.seq)).toEqual([tick]);
    expect(made).toBe(1);
  });

  it('keeps four streams per peer and origin, and ends the oldest', async () => {
    const { client } = cluster.region(eu);
    const streams: IncomingMessage[] = [];
    for (let i = 0; i < 5; i++)
      streams.push(await client.stream(us, '/v1/replication/ticks?origin=us&from=1', AbortSignal.timeout(5_000)));
    await new Promise((resolve) => streams[0]!.once('end', resolve).resume());
    expect(streams[1]!.readableEnded).toBe(false);
    streams.forEach((s) => s.destroy());
  });

  it('ends all streams when it closes', async () => {
    const stream = await cluster
      .region(eu)
      .client.stream(us, '/v1/replication/ticks?origin=us&from=1', AbortSignal.timeout(5_000));
    cluster.region(us).server.close();
    await new Promise((resolve) => stream.once('end', resolve).resume());
  });

  it('ends the stream when its log cannot be read', async () => {
    cluster.region(us).log.read = () => Promise.reject(new Error('the database is away'));
    await expect(ask('origin=us&from=1')).rejects.toMatchObject({ code: 'peer_unreachable' });
  });
});
