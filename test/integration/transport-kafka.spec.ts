import { randomUUID } from 'node:crypto';
import { encodeTickText, regionId, seq, type DeliveredTick, type RegionId, type Tick } from '@meridian/core';
import {
  directCluster,
  KafkaTransport,
  MemoryLog,
  SampleOrigin,
  transportContract,
  type DirectCluster,
  type KafkaTransportOptions,
  type TransportEvent,
} from '@meridian/transport';
import type { Admin, Producer } from 'kafkajs';
import { KafkaBroker } from './kafka-broker';

jest.setTimeout(120_000);

const us = regionId('us');
const eu = regionId('eu');
const ap = regionId('ap');

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
});
afterAll(() => broker?.stop());

interface KafkaCluster {
  readonly name: string;
  readonly direct: DirectCluster;
  readonly topic: string;
  readonly events: TransportEvent[];
  region(name: RegionId): { readonly log: MemoryLog; readonly transport: KafkaTransport };
  /** The service of this region starts again: nothing in memory but its log. */
  restart(name: RegionId): Promise<void>;
  stop(): Promise<void>;
}

async function kafkaCluster(
  names: readonly RegionId[],
  options: Partial<KafkaTransportOptions> = {},
): Promise<KafkaCluster> {
  const name = `t${randomUUID().slice(0, 8)}`;
  const direct = await directCluster(names, { cluster: name });
  const events: TransportEvent[] = [];
  const open = (region: RegionId): KafkaTransport => {
    const end = direct.region(region);
    return new KafkaTransport({
      brokers: [broker.address],
      cluster: name,
      region,
      envelopes: end.envelopes,
      reader: end.log,
      direct: {
        publish: (tick) => end.transport.publish(tick),
        fetch: (origin, from, to) => end.transport.fetch(origin, from, to),
        close: async () => undefined,
      },
      onEvent: (event) => events.push(event),
      ...options,
    });
  };
  const transports = new Map(names.map((n) => [n, open(n)]));
  return {
    name,
    direct,
    topic: `meridian.${name}.us`,
    events,
    region: (n) => ({ log: direct.region(n).log, transport: transports.get(n)! }),
    restart: async (n) => {
      await transports.get(n)!.close();
      transports.set(n, open(n));
    },
    stop: async () => {
      await Promise.all([...transports.values()].map((t) => t.close()));
      await direct.stop();
    },
  };
}

transportContract('kafka', async (names) => {
  const cluster = await kafkaCluster(names);
  return { ...cluster, silence: (name) => cluster.direct.silence(name) };
});

describe('the kafka transport in trouble', () => {
  let cluster: KafkaCluster;
  let origin: SampleOrigin;
  let stopped: AbortController;
  let admin: Admin;
  let stranger: Producer;

  beforeEach(async () => {
    cluster = await kafkaCluster([us, eu, ap], { stallMs: 1_500 });
    origin = new SampleOrigin(us);
    stopped = new AbortController();
    admin = broker.client().admin();
    stranger = broker.client().producer({ allowAutoTopicCreation: false });
    await Promise.all([admin.connect(), stranger.connect()]);
  });
  afterEach(async () => {
    stopped.abort();
    await cluster.stop();
    await Promise.all([admin.disconnect(), stranger.disconnect()]);
  });

  const publish = async (...ticks: readonly Tick[]): Promise<void> => {
    for (const tick of ticks) {
      cluster.region(us).log.append(tick);
      await cluster.region(us).transport.publish(tick);
    }
  };
  const subscribe = (from = 1, position: string | null = null): AsyncIterator<DeliveredTick> =>
    cluster.region(eu).transport.subscribe(us, seq(from), stopped.signal, position)[Symbol.asyncIterator]();
  const inTopic = (count: number): Promise<void> =>
    until(async () => Number((await admin.fetchTopicOffsets(cluster.topic).catch(() => []))[0]?.high ?? 0) >= count);
  const messages = (ticks: readonly Tick[]): Promise<readonly Buffer[]> =>
    Promise.resolve(
      ticks.map((t) => cluster.direct.region(us).envelopes.seal({ ...t, part: 0, last: true }, encodeTickText(t))),
    );

  // First, for kafkajs goes on leaving its group in the background once the broker is back.
  it('ends at once, whether the broker answers or not', async () => {
    await publish(...origin.ticks(1));
    const stream = subscribe();
    await take(stream, 1);
    await broker.kill();
    const since = Date.now();
    try {
      await cluster.stop();
      expect(Date.now() - since).toBeLessThan(8_000);
    } finally {
      await broker.restart();
    }
  });

  it('ends at once while it begins to read', async () => {
    const next = subscribe().next();
    const since = Date.now();
    await cluster.stop();
    expect(Date.now() - since).toBeLessThan(8_000);
    expect((await next).done).toBe(true);
  });

  it('ends soon while it waits for a broker that hangs', async () => {
    await publish(...origin.ticks(1));
    await inTopic(1);
    await broker.pause();
    const next = subscribe().next();
    await publish(...origin.ticks(1));
    const since = Date.now();
    try {
      await cluster.stop();
      expect(Date.now() - since).toBeLessThan(8_000);
    } finally {
      await broker.unpause();
    }
    expect((await next).done).toBe(true);
  });

  it('keeps the order and loses nothing when the broker is killed and comes back, without any help of direct', async () => {
    const [before, during, after] = [origin.ticks(5), origin.ticks(400), origin.ticks(5)];
    const stream = subscribe();
    await publish(...before);
    expect(await take(stream, 5)).toEqual(before);
    await Promise.all([us, ap].map((name) => cluster.direct.silence(name)));
    await broker.kill();
    await publish(...during);
    expect(cluster.region(us).transport.publisher.backlog).toBe(400);
    await broker.restart();
    expect(await take(stream, 400)).toEqual(during);
    await publish(...after);
    expect(await take(stream, 5)).toEqual(after);
  });

  it('goes on over direct while Kafka is away', async () => {
    const [before, during] = [origin.ticks(2), origin.ticks(600)];
    const stream = subscribe();
    await publish(...before);
    await take(stream, 2);
    await broker.kill();
    try {
      await publish(...during);
      expect(await take(stream, 600)).toEqual(during);
    } finally {
      await broker.restart();
    }
  });

  it('fills over direct what has expired from the topic, and goes on behind it', async () => {
    const ticks = origin.ticks(20);
    await publish(...ticks);
    await inTopic(20);
    await admin.deleteTopicRecords({ topic: cluster.topic, partitions: [{ partition: 0, offset: '15' }] });
    expect(await take(subscribe(4, '3'), 17)).toEqual(ticks.slice(3));
    expect(cluster.events).toContainEqual({ kind: 'gap', origin: us, from: 4, to: 15 });
  });

  it('goes on when the topic is deleted under it', async () => {
    const [before, after] = [origin.ticks(5), origin.ticks(5)];
    const stream = subscribe();
    await publish(...before);
    expect(await take(stream, 5)).toEqual(before);
    await admin.deleteTopics({ topics: [cluster.topic] });
    await publish(...after);
    expect(await take(stream, 5)).toEqual(after);
    const last = origin.ticks(3);
    await publish(...last);
    expect(await take(stream, 3)).toEqual(last);
    // And the topic is there again: not everything came over direct.
    await until(async () => (await admin.listTopics()).includes(cluster.topic));
  });

  it('goes on when a position points behind the end of a topic that was made anew', async () => {
    const ticks = origin.ticks(5);
    await publish(...ticks);
    await inTopic(5);
    expect(await take(subscribe(3, '900'), 3)).toEqual(ticks.slice(2));
  });

  it('takes nothing that a stranger wrote into the topic, counts it, and fetches what it displaced', async () => {
    await publish(...origin.ticks(1));
    await inTopic(1);
    const ticks = [...(await logged(1)), ...origin.ticks(6)];
    const [two, three, four] = await messages(ticks.slice(1, 4));
    const flipped = Buffer.from(four!);
    flipped[flipped.length - 3]! ^= 1;
    cluster.region(us).log.append(...ticks);
    const values = [Buffer.alloc(0), null, Buffer.from('hello'), two!.subarray(0, 50), flipped, three!, two!, two!];
    await stranger.send({ topic: cluster.topic, messages: values.map((value) => ({ value, partition: 0 })) });
    const stream = subscribe();
    await cluster.region(us).transport.publish(ticks[6]!);
    expect(await take(stream, 7)).toEqual(ticks);
    expect(Object.fromEntries(cluster.region(eu).transport.refusals.counts())).toEqual({
      empty: 2,
      not_an_envelope: 1,
      truncated: 1,
      bad_signature: 1,
    });
  });

  it('publishes on behind the last tick in the topic after a restart, from the log, and nothing twice', async () => {
    const [before, between, after] = [origin.ticks(4), origin.ticks(3), origin.ticks(1)];
    await publish(...before);
    await inTopic(4);
    await cluster.region(us).transport.close();
    cluster.region(us).log.append(...between);
    await cluster.restart(us);
    await publish(...after);
    expect(await take(subscribe(), 8)).toEqual([...before, ...between, ...after]);
    await inTopic(8);
    expect(Number((await admin.fetchTopicOffsets(cluster.topic))[0]!.high)).toBe(8);
  });

  const logged = (to: number): Promise<readonly Tick[]> =>
    cluster.region(us).log.read(us, seq(1), { ticks: to, changes: 1_000 });
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

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}
