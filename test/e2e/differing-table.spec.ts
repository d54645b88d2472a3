import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Diagnosis } from '@meridian/contract';
import { TestCluster, until } from './cluster.js';

jest.setTimeout(180_000);

const CLI = join(__dirname, '../../dist/apps/cli/src/main.js');

interface TableStatus {
  readonly state: string;
  readonly reason: string | null;
}

describe('a table that differs between regions', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 21_800);
    await cluster.everywhere(`
      CREATE TABLE moods (id int PRIMARY KEY, level int, n int NOT NULL DEFAULT 0);
      CREATE TABLE others (id int PRIMARY KEY, name text);`);
    await cluster.enrol('public.moods', { columns: { n: 'counter' } });
    await cluster.enrol('public.others');
    await cluster.sql('us', `INSERT INTO moods VALUES (1, 1, 0), (2, 1, 0)`);
    await cluster.equal('SELECT * FROM moods ORDER BY id', (rows) => rows.length === 2);
  });
  afterAll(() => cluster?.stop());

  const status = async (): Promise<TableStatus> =>
    (await (await cluster.rest('eu', 'GET', '/v1/tables/public.moods')).json()) as TableStatus;

  /** As an operator runs it. */
  function doctor(name: string, ...more: string[]): { readonly status: number | null; readonly text: string } {
    const { http } = cluster.region(name);
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'doctor', '--url', http, ...more], {
      encoding: 'utf8',
    });
    return { status, text: stdout };
  }

  it('is found well by `meridian doctor` while it does not differ, and a table that nobody enrolled can be', async () => {
    await cluster.sql('us', 'CREATE TABLE plain (id int PRIMARY KEY); CREATE TABLE keyless (id int)');
    const { status, text } = doctor('us');
    expect([status, text]).toEqual([0, expect.stringMatching(/^region us: 0 error, /) as string]);
    expect(text).toMatch(/^public\.plain +can be enrolled$/m);
    expect(text).toMatch(/^public\.keyless +cannot be enrolled +public\.keyless has no primary key/m);
    expect(text).toMatch(/^public\.keyless → ALTER TABLE public\.keyless ADD PRIMARY KEY/m);
  });

  it('parks that table alone and says why, drops nothing, and goes on by itself when it is mended (I2, I3, I7)', async () => {
    await cluster.sql('eu', 'ALTER TABLE moods ADD CONSTRAINT calm CHECK (level < 5)');
    await cluster.sql('us', 'UPDATE moods SET level = 9, n = n + 1 WHERE id = 1');
    await until(async () => (await status()).state === 'waiting', 'eu says that the table waits');
    expect((await status()).reason).toContain('calm');

    cluster.local.regions[1]!.service.kill9();
    const metrics = async (): Promise<string> =>
      (await cluster.rest('eu', 'GET', '/metrics').catch(() => null))?.text() ?? '';
    await until(async () => (await metrics()).includes('meridian_tables_waiting 1'), 'eu says so after a restart, too');
    const { status: exit, text } = doctor('eu', '-o', 'json');
    const { items, tables } = JSON.parse(text) as Diagnosis;
    expect([exit, tables.map((t) => t.state)]).toEqual([1, ['waiting', 'enrolled']]);
    expect(items.find((f) => f.code === 'table_waits')).toMatchObject({
      ...{ severity: 'error', about: 'public.moods', detail: expect.stringContaining('calm') as string },
    });

    await cluster.sql('us', `INSERT INTO others VALUES (1, 'flows')`);
    await cluster.equal('SELECT * FROM others', (rows) => rows.length === 1);

    // Written in eu without having seen us's change, though eu's ticks cover it.
    await cluster.sql('eu', 'UPDATE moods SET level = 2, n = n + 10 WHERE id = 1');
    await cluster.sql('eu', 'UPDATE moods SET n = n + 5 WHERE id = 2');
    await cluster.sql('us', 'UPDATE moods SET n = n + 100 WHERE id = 1');
    await until(
      async () => (await cluster.sql('us', 'SELECT n FROM moods WHERE id = 1'))[0]!.n === 111,
      'us has all increments',
    );

    await cluster.sql('eu', 'ALTER TABLE moods DROP CONSTRAINT calm');
    const rows = await cluster.equal('SELECT * FROM moods ORDER BY id', ([one, two]) => one!.n === 111 && two!.n === 5);
    expect(rows[0]!.level).toBe(2);
    await until(async () => (await status()).state === 'active', 'eu says that it goes on');
  });
});
