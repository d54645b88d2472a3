import { Client } from 'pg';
import { TestCluster, until } from './cluster.js';

jest.setTimeout(180_000);

interface TableStatus {
  readonly epoch: number;
}

describe('a table that is un-enrolled and enrolled again while it is written to', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 22_500);
    await cluster.everywhere(`
      CREATE TABLE visits (id int PRIMARY KEY, n int NOT NULL);
      CREATE TABLE others (id int PRIMARY KEY);`);
    await cluster.enrol('public.visits', { columns: { n: 'counter' } });
    await cluster.enrol('public.others');
    await cluster.sql('us', 'INSERT INTO visits VALUES (1, 0)');
    await cluster.equal('SELECT * FROM visits', (rows) => rows.length === 1);
  });
  afterAll(() => cluster?.stop());

  /** A region's ticks are applied in their order: what was written before these rows is everywhere, too. */
  async function flows(mark: number): Promise<void> {
    for (const [i, region] of ['us', 'eu'].entries())
      await cluster.sql(region, 'INSERT INTO others VALUES ($1)', [mark + i]);
    const marks = [mark, mark + 1];
    await cluster.equal('SELECT * FROM others ORDER BY id', (rows) =>
      marks.every((id) => rows.some((row) => row.id === id)),
    );
  }

  const enrol = (region: string, table: string): Promise<Response> =>
    cluster.rest(region, 'PUT', `/v1/tables/public.${table}`, {});

  it('is enrolled by two regions at once as by one; and refused, with the cure, while somebody holds it', async () => {
    for (let round = 0; round < 3; round++) {
      await cluster.everywhere(`CREATE TABLE at_once_${round} (id int PRIMARY KEY)`);
      const answers = await Promise.all(['us', 'eu'].map((region) => enrol(region, `at_once_${round}`)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    }
    await cluster.everywhere('CREATE TABLE held (id int PRIMARY KEY)');
    const holder = new Client({ connectionString: cluster.region('eu').postgres });
    await holder.connect();
    await holder.query('BEGIN; INSERT INTO held VALUES (1)');
    const refused = await enrol('us', 'held');
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { reasons: [{ code: 'table_busy', detail: expect.stringContaining('eu: ') as string }] },
    ]);
    await holder.query('ROLLBACK');
    await holder.end();
    expect((await enrol('us', 'held')).status).toBe(201);
  });

  const unenrol = (from: string) => cluster.rest(from, 'DELETE', '/v1/tables/public.visits');

  it('stops no other table, and counts exactly from then on (I2, I7)', async () => {
    for (let round = 1; round <= 3; round++) {
      let stopped = false;
      const writing = ['us', 'eu'].map(async (region) => {
        while (!stopped) await cluster.sql(region, 'UPDATE visits SET n = n + 1');
      });
      try {
        expect((await unenrol('eu')).status).toBe(204);
        expect((await unenrol('us')).status).toBe(404);
        await flows(round * 10);
        await cluster.enrol('public.visits', { columns: { n: 'counter' }, initial: { copyFrom: 'us' } });
      } finally {
        stopped = true;
        await Promise.all(writing);
      }
      await flows(round * 10 + 2);
      await cluster.equal('SELECT * FROM visits');
      const [before] = await cluster.sql<{ n: number }>('us', 'SELECT n FROM visits');
      await Promise.all(['us', 'eu'].map((region) => cluster.sql(region, 'UPDATE visits SET n = n + 10')));
      await cluster.equal('SELECT * FROM visits', ([row]) => row!.n === before!.n + 20);
      const status = (await (await cluster.rest('eu', 'GET', '/v1/tables/public.visits')).json()) as TableStatus;
      expect(status.epoch).toBe(round + 1);
    }
  });

  it('is never the table of conflict records, which no one has enrolled', async () => {
    for (const method of ['GET', 'DELETE'])
      expect((await cluster.rest('us', method, '/v1/tables/meridian.conflict')).status).toBe(404);
    expect((await cluster.rest('us', 'PUT', '/v1/tables/meridian.conflict', {})).status).toBe(422);
    const [row] = await cluster.sql('eu', `SELECT rel FROM meridian.enrolled_table WHERE rel = 'meridian.conflict'`);
    expect(row).toBeDefined();
  });

  it('ends where a region can be reached, says where it could not, and ends there when it is asked again', async () => {
    cluster.local.regions[1]!.service.kill9(false);
    const answer = await unenrol('us');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/"region_unreachable".*bring eu up/);
    cluster.local.regions[1]!.service.start();
    await cluster.untilReady('eu');
    await cluster.sql('eu', 'UPDATE visits SET n = n + 1');
    await flows(100);
    const metrics = async () => (await cluster.rest('us', 'GET', '/metrics')).text();
    await until(
      async () => /changes_passed_total\{table="public.visits"\} [1-9]/.test(await metrics()),
      'us has said so',
    );
    expect((await unenrol('us')).status).toBe(204);
    expect((await cluster.rest('eu', 'GET', '/v1/tables/public.visits')).status).toBe(404);
  });
});
