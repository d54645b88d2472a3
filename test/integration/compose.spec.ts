import { Kafka, logLevel } from 'kafkajs';
import { Increments, seeded } from '../e2e/increments.js';
import { until } from '../e2e/reachable-regions.js';
import { ComposeCluster } from './compose-cluster.js';

jest.setTimeout(420_000);

describe('docker-compose.yml: three regions in containers, with Kafka and Redis', () => {
  let cluster: ComposeCluster;
  beforeAll(async () => {
    cluster = await ComposeCluster.start();
    await Increments.prepare(cluster);
    await cluster.everywhere('CREATE TABLE items (id text PRIMARY KEY, name text, price numeric)');
    await cluster.enrol('public.items');
  });
  afterAll(() => cluster?.stop());

  it('shows what was written by SQL and by REST in each region in all of them', async () => {
    for (const name of cluster.names) {
      await cluster.sql(name, `INSERT INTO items VALUES ($1, 'by SQL', 1.10)`, [`${name} sql`]);
      const written = await cluster.rest(name, 'POST', '/v1/data/items', { id: `${name} rest`, name: 'by REST' });
      expect(written.status).toBe(201);
    }
    const rows = await cluster.equal('SELECT id, name FROM items ORDER BY id', (all) => all.length === 6);
    expect(new Set(rows.map((row) => row.name))).toEqual(new Set(['by SQL', 'by REST']));
  });

  it('sends it over Kafka, one topic for each origin', async () => {
    const kafka = new Kafka({ clientId: 'test', brokers: [cluster.kafka], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    for (const name of cluster.names)
      await until(
        async () => Number((await admin.fetchTopicOffsets(`meridian.shop.${name}`))[0]!.high) > 0,
        `${name} publishes`,
      );
    await admin.disconnect();
  });

  it('lets the instances of each region wake one another over Redis', async () => {
    const listening = async (): Promise<string> =>
      cluster.compose('exec', '-T', 'redis', 'redis-cli', 'PUBSUB', 'CHANNELS', 'meridian:shop:*');
    await until(async () => {
      const channels = await listening();
      return cluster.names.every((name) => channels.includes(`meridian:shop:${name}:`));
    }, 'all listen');
  });

  it('goes on while Kafka is dead, and has lost and doubled nothing after it came back (I3, I5, I7)', async () => {
    const increments = new Increments(cluster, seeded(11));
    increments.start();
    await until(async () => increments.count > 50, 'writes before');
    await cluster.compose('kill', 'kafka');
    const before = increments.count;
    await cluster.sql('us', `INSERT INTO items VALUES ('without Kafka')`);
    await cluster.equal(`SELECT id FROM items WHERE id = 'without Kafka'`, (rows) => rows.length === 1, 60_000);
    await until(async () => increments.count > before + 200, 'writes without Kafka', 60_000);
    await cluster.compose('start', 'kafka');
    await until(async () => increments.count > before + 400, 'writes after', 60_000);
    await increments.stop();
    await increments.verify(120_000);
  });

  it('stops a region in order and starts it again, and all containers are healthy', async () => {
    await cluster.compose('stop', '-t', '20', 'eu');
    expect(await cluster.exitCode('eu')).toBe(0);
    await cluster.sql('us', `INSERT INTO items VALUES ('while eu is down')`);
    await cluster.compose('start', 'eu');
    await cluster.equal('SELECT id FROM items ORDER BY id', (rows) => rows.length === 8, 90_000);
    await until(async () => (await cluster.healthyContainers()) === 8, 'eight containers are healthy', 60_000);
  });
});
