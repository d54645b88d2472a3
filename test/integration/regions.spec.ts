import { randomBytes } from 'node:crypto';
import { Increments, seeded } from '../e2e/increments.js';
import { until } from '../e2e/reachable-regions.js';
import { ContainerRegions } from './container-regions.js';
import { KafkaBroker } from './kafka-broker.js';

/** CI's share of the ten minutes: MERIDIAN_KILL_SECONDS=600 runs them all. */
const KILL_SECONDS = Number(process.env.MERIDIAN_KILL_SECONDS ?? 20);
const KILL_SEED = Number(process.env.MERIDIAN_KILL_SEED ?? Date.now() % 1_000_000);

jest.setTimeout(120_000);

const IMAGES = {
  us: process.env['MERIDIAN_TEST_POSTGRES_IMAGE'] ?? 'postgres:15',
  eu: process.env['MERIDIAN_TEST_POSTGRES18_IMAGE'] ?? 'postgres:18',
};

describe('a region on PostgreSQL 15 and one on PostgreSQL 18, as a role that may only make roles', () => {
  let regions: ContainerRegions;
  const running: Increments[] = [];
  beforeAll(async () => {
    regions = await ContainerRegions.start(IMAGES);
    await regions.serve('direct');
    await Increments.prepare(regions);
    await regions.everywhere(
      'CREATE TABLE items (id text PRIMARY KEY, name text, price numeric, qty int NOT NULL DEFAULT 0)',
    );
    await regions.enrol('public.items', { columns: { qty: 'counter' } });
  });
  afterAll(() => regions?.stop());
  afterEach(async () => {
    await Promise.all(running.map((load) => load.stop()));
    await regions.links.heal();
  });

  const insert = (region: string, id: string, name = region): Promise<unknown> =>
    regions.sql(region, 'INSERT INTO items (id, name) VALUES ($1, $2)', [id, name]);
  const arrives = (id: string, region: string, deadlineMs?: number): Promise<void> =>
    until(
      async () => (await regions.sql(region, 'SELECT FROM items WHERE id = $1', [id])).length === 1,
      `${id} arrives in ${region}`,
      deadlineMs,
    );
  const alike = (prefix: string, done: (rows: Record<string, unknown>[]) => boolean, deadlineMs?: number) =>
    regions.equal(`SELECT * FROM items WHERE id LIKE '${prefix}%' ORDER BY id`, done, deadlineMs);
  const increments = (seed: number): Increments => {
    const load = new Increments(regions, seeded(seed));
    load.start();
    running.push(load);
    return load;
  };

  it('runs them as they are: two versions, and no privilege that a managed PostgreSQL would not give', async () => {
    const versions = await regions.contents(`SELECT current_setting('server_version_num')::int / 10000 AS major`);
    expect(versions).toEqual([[{ major: 15 }], [{ major: 18 }]]);
    for (const name of regions.names) {
      const roles = await regions.sql(
        name,
        `SELECT rolsuper OR rolreplication OR rolbypassrls OR rolcreatedb AS privileged FROM pg_roles
         WHERE rolname = 'app' OR rolname LIKE 'meridian%'`,
      );
      expect(roles).toEqual([{ privileged: false }, { privileged: false }]);
    }
  });

  it('shows what is written in each in the other, by SQL and by REST', async () => {
    for (const name of regions.names) {
      await insert(name, `both ${name} sql`);
      const written = await regions.rest(name, 'POST', '/v1/data/items', { id: `both ${name} rest`, name });
      expect(written.status).toBe(201);
    }
    await alike('both', (rows) => rows.length === 4);
  });

  it('comes out of a partition equal, with every increment and a record of each overwritten write (I2, I3, I7)', async () => {
    await regions.sql('us', `INSERT INTO items SELECT 'part ' || n, 'base', 1, 0 FROM generate_series(1, 4) n`);
    await alike('part', (rows) => rows.length === 4);
    const before = new Set((await regions.conflicts('eu')).map((c) => JSON.stringify(c)));
    await regions.links.cut();
    const load = increments(1);
    // The same column, different columns, different rows, counters in both, and one new key twice.
    await regions.sql('us', `UPDATE items SET name = 'us', qty = qty + 2 WHERE id = 'part 1'`);
    await regions.sql('eu', `UPDATE items SET name = 'eu', qty = qty + 5 WHERE id = 'part 1'`);
    await regions.sql('us', `UPDATE items SET name = 'us' WHERE id = 'part 2'`);
    await regions.sql('eu', `UPDATE items SET price = 7.50 WHERE id = 'part 2'`);
    await regions.sql('us', `UPDATE items SET qty = qty + 1 WHERE id = 'part 3'`);
    await regions.sql('eu', `DELETE FROM items WHERE id = 'part 4'`);
    await insert('us', 'part new');
    await insert('eu', 'part new');
    await until(async () => load.count > 200, 'increments on both sides');
    await regions.links.heal();
    const rows = await alike('part', ([one, two]) => one!.qty === 7 && two!.price === '7.50');
    expect(rows).toEqual([
      { id: 'part 1', name: 'eu', price: '1', qty: 7 },
      { id: 'part 2', name: 'us', price: '7.50', qty: 0 },
      { id: 'part 3', name: 'base', price: '1', qty: 1 },
      { id: 'part new', name: 'eu', price: null, qty: 0 },
    ]);
    await load.stop();
    await load.verify();
    const recorded = async (name: string) =>
      (await regions.conflicts(name)).filter((c) => c.table === 'public.items' && !before.has(JSON.stringify(c)));
    for (const name of regions.names) {
      await until(async () => (await recorded(name)).length >= 2, `the records reach ${name}`);
      const records = (await recorded(name)).map(({ kind, reason }) => ({ kind, reason }));
      expect(records).toHaveLength(2);
      const byEu = expect.stringMatching(/eu's write won: its stamp is \d+ ms later; us had not yet seen it/) as string;
      expect(records).toContainEqual({ kind: 'update_origin_differs', reason: byEu });
      expect(records).toContainEqual({ kind: 'insert_exists', reason: expect.anything() as string });
    }
  });

  it('keeps up over a slow link, also with a change that takes longer than a silent peer is waited for', async () => {
    await regions.links.poison('latency', { latency: 150, jitter: 50 });
    await regions.links.poison('bandwidth', { rate: 64 });
    const load = increments(2);
    await until(async () => load.count > 200, 'increments over the slow link');
    await load.stop();
    await load.verify();
    // 450 kB that cannot be compressed: 7 s.
    await insert('us', 'slow', randomBytes(450_000).toString('base64'));
    await insert('eu', 'slow back');
    await arrives('slow back', 'us');
    await arrives('slow', 'eu', 40_000);
    await alike('slow', (rows) => rows.length === 2);
  });

  it('loses nothing when connections are reset again and again (I3, I5, I7)', async () => {
    const resets = (): number => regions.log('eu').split('ECONNRESET').length;
    const load = increments(3);
    for (const round of [1, 2, 3]) {
      const before = resets();
      await regions.links.poison('reset_peer', { timeout: 10 * round });
      await until(async () => resets() > before + 2, 'connections are reset');
      await regions.links.heal();
      await insert('us', `reset ${round}`);
      await arrives(`reset ${round}`, 'eu');
    }
    await load.stop();
    await load.verify();
  });

  it('goes on in one direction while the other is silent, and makes up for it after (I2, I3)', async () => {
    await insert('us', 'oneway before');
    await arrives('oneway before', 'eu');
    const logged = regions.log('eu').length;
    await regions.links.poison('timeout', { timeout: 0 }, 'us>eu');
    const load = increments(4);
    await insert('us', 'oneway us');
    await insert('eu', 'oneway eu');
    await arrives('oneway eu', 'us');
    await until(async () => regions.log('eu').slice(logged).includes('no tick for'), 'eu notices');
    expect(await regions.sql('eu', `SELECT FROM items WHERE id = 'oneway us'`)).toEqual([]);
    await regions.links.heal();
    await arrives('oneway us', 'eu');
    await load.stop();
    await load.verify();
  });

  it('refuses a table with a trigger of its own until an administrator has granted what the refusal names', async () => {
    await regions.everywhere(`
      CREATE TABLE audited (id int PRIMARY KEY);
      CREATE TABLE audit (id int);
      CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END';
      CREATE TRIGGER audited AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audited()`);
    await expect(regions.enrol('public.audited')).rejects.toThrow(/GRANT SET ON PARAMETER/);
    for (const name of regions.names) {
      const [role] = await regions.sql(name, `SELECT rolname FROM pg_roles WHERE rolname LIKE 'meridian_apply_%'`);
      await regions.asAdmin(name, `GRANT SET ON PARAMETER session_replication_role TO ${String(role!.rolname)}`);
    }
    await Promise.all(regions.names.map((name) => regions.restart(name)));
    await regions.enrol('public.audited');
    await regions.sql('us', 'INSERT INTO audited VALUES (1)');
    await regions.sql('eu', 'INSERT INTO audited VALUES (2)');
    await regions.equal('SELECT id FROM audited ORDER BY id', (rows) => rows.length === 2);
    expect(await regions.contents('SELECT id FROM audit')).toEqual([[{ id: 1 }], [{ id: 2 }]]);
  });

  describe('when they are started again over Kafka, and cannot reach one another any more', () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await KafkaBroker.start();
      await regions.serve({ kafka: { brokers: [broker.address] } });
    });
    beforeEach(() => regions.links.cut());
    afterAll(() => broker?.stop());

    it('replicate by Kafka alone', async () => {
      for (const name of regions.names) await insert(name, `kafka ${name}`);
      await alike('kafka', (rows) => rows.length === 2);
    });

    it('lose and double nothing when the broker is killed in the middle and starts again (I3, I5, I7)', async () => {
      const load = increments(5);
      await until(async () => load.count > 100, 'increments before');
      await broker.kill();
      const before = load.count;
      await until(async () => load.count > before + 200, 'increments without Kafka');
      await broker.restart();
      await until(async () => load.count > before + 400, 'increments after');
      await load.stop();
      await load.verify(90_000);
    });

    const seed = `replay: MERIDIAN_KILL_SEED=${KILL_SEED}`;
    it(
      `lose and double nothing when services and broker are killed at random for ${KILL_SECONDS} s (I3, I5, I7; ${seed})`,
      async () => {
        const random = seeded(KILL_SEED);
        const load = increments(KILL_SEED + 1);
        const end = Date.now() + KILL_SECONDS * 1_000;
        while (Date.now() < end) {
          if (random() < 0.8) await regions.restart(regions.names[Math.floor(random() * regions.names.length)]!);
          else await broker.kill().then(() => broker.restart());
        }
        await load.stop();
        await load.verify(120_000);
      },
      (KILL_SECONDS + 240) * 1_000,
    );
  });
});
