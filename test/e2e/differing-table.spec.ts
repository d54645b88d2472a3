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

  async function isMeasured(): Promise<boolean> {
    const metrics = await cluster.rest('eu', 'GET', '/metrics').catch(() => null);
    return (await metrics?.text())?.includes('meridian_tables_waiting 1') ?? false;
  }

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
    await until(isMeasured, 'eu says so after a restart, too');
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

  it('takes no part in a unique key that one region made alone, says so everywhere it is asked, and in one that all agreed on', async () => {
    await cluster.sql('eu', 'CREATE UNIQUE INDEX one_level ON moods (level)');
    await until(async () => (await status()).state === 'waiting', 'eu says that the table waits');
    expect((await status()).reason).toContain('it has UNIQUE (level), which the regions have not agreed on');
    // The table's state is in the database; what the service itself tells follows when upkeep has read it.
    await until(isMeasured, 'eu measures so');
    const regions = (await (await cluster.rest('eu', 'GET', '/v1/cluster')).json()) as { items: { detail: string }[] };
    expect(regions.items[0]!.detail).toContain('UNIQUE (level)');
    const refused = await cluster.rest('us', 'PUT', '/v1/tables/public.moods', { columns: { n: 'counter' } });
    expect([refused.status, await refused.text()]).toEqual([
      422,
      expect.stringContaining('only eu has UNIQUE (level)'),
    ]);

    await cluster.sql('us', 'INSERT INTO moods VALUES (11, 70, 0), (12, 70, 0)');
    await cluster.sql('us', `INSERT INTO others VALUES (2, 'flows')`);
    await cluster.equal('SELECT * FROM others', (rows) => rows.length === 2);
    await cluster.sql('eu', 'DROP INDEX one_level');
    await cluster.equal('SELECT * FROM moods ORDER BY id', (rows) => rows.length === 4);
    await until(async () => (await status()).state === 'active', 'eu says that it goes on');

    await cluster.sql('us', 'DELETE FROM moods WHERE id <> 1');
    await cluster.equal('SELECT * FROM moods', (rows) => rows.length === 1);
    await cluster.everywhere('CREATE UNIQUE INDEX one_level ON moods (level)');
    await until(async () => (await status()).state === 'waiting', 'eu waits for an agreement');
    await cluster.enrol('public.moods', { columns: { n: 'counter' } });
    await until(async () => (await status()).state === 'active', 'they have agreed');
    await cluster.sql('us', 'INSERT INTO moods VALUES (2, 3, 0)');
    await cluster.equal('SELECT * FROM moods', (rows) => rows.length === 2);
  });

  it('loses nothing of a column that is new everywhere, and lets users write on when one is dropped', async () => {
    await cluster.everywhere('ALTER TABLE others ADD COLUMN note text');
    await cluster.sql('us', `UPDATE others SET note = 'at once' WHERE id = 1`);
    await cluster.equal('SELECT * FROM others ORDER BY id', ([one]) => one!.note === 'at once');
    await cluster.everywhere('ALTER TABLE others DROP COLUMN name');
    await cluster.sql('eu', `UPDATE others SET note = 'goes on' WHERE id = 1; INSERT INTO others VALUES (3, 'new')`);
    await cluster.equal('SELECT * FROM others ORDER BY id', (rows) => rows.length === 3 && rows[0]!.note === 'goes on');
  });
});
