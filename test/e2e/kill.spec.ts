import { TestCluster } from './cluster.js';
import { Increments, seeded } from './increments.js';

/** CI's share of the ten minutes: MERIDIAN_KILL_SECONDS=600 runs them all. */
const SECONDS = Number(process.env.MERIDIAN_KILL_SECONDS ?? 30);
const SEED = Number(process.env.MERIDIAN_KILL_SEED ?? Date.now() % 1_000_000);

jest.setTimeout((SECONDS + 240) * 1_000);

describe(`services and PostgreSQL killed at random under load for ${SECONDS} s (replay: MERIDIAN_KILL_SEED=${SEED})`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu', 'ap'], 21_400);
    await Increments.prepare(cluster);
  });
  afterAll(() => cluster?.stop());

  it('loses and doubles nothing: receipts and counters agree in all regions (I2, I3, I7)', async () => {
    const random = seeded(SEED);
    const increments = new Increments(cluster, seeded(SEED + 1));
    increments.start();
    const end = Date.now() + SECONDS * 1_000;
    while (Date.now() < end) {
      const index = Math.floor(random() * cluster.names.length);
      if (random() < 0.8) cluster.local.regions[index]!.service.kill9();
      else {
        await cluster.local.servers[index]!.kill9();
        await cluster.local.servers[index]!.restart();
      }
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 3_000));
    }
    await increments.stop();
    await increments.verify(120_000);
  });
});
