import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableCheck } from '@meridian/contract';
import { TestCluster } from './cluster.js';

jest.setTimeout(180_000);

describe('a table is made ready in two regions', () => {
  let cluster: TestCluster;
  beforeAll(async () => void (cluster = await TestCluster.start(['us', 'eu'], 22_800)));
  afterAll(() => cluster?.stop());

  const check = async (table: string, query = ''): Promise<TableCheck> =>
    (await (
      await cluster.rest('us', 'GET', `/v1/tables/${encodeURIComponent(table)}/check${query}`)
    ).json()) as TableCheck;
  const codes = async (table: string, query = ''): Promise<string[]> =>
    (await check(table, query)).items.map((f) => f.code);
  /** Beside this process: the links between the regions run in it. */
  const meridian = (...args: string[]): Promise<{ status: number | null; stdout: string }> =>
    new Promise((resolve, reject) => {
      const url = cluster.local.regions[0]!.http;
      const child = spawn(process.execPath, ['dist/apps/cli/src/main.js', ...args, '--url', url]);
      let stdout = '';
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
      child.on('error', reject).on('close', (status) => resolve({ status, stdout }));
    });

  it('by the statements that its check gives, until it can be enrolled and its keys meet nowhere', async () => {
    await cluster.sql(
      'us',
      `CREATE TABLE sales (id serial PRIMARY KEY, code text UNIQUE, currency text DEFAULT 'USD')`,
    );
    expect(await codes('sales')).toEqual(['table_missing', 'generated_key', 'unique_key_may_park']);
    await cluster.sql('eu', `CREATE TABLE sales (id serial PRIMARY KEY, code text, currency text DEFAULT 'EUR')`);
    const found = await check('sales');
    expect(found).toMatchObject({ table: 'public.sales', region: 'us', state: 'refused', next: null });
    const differing = found.items.filter((f) => f.subject.endsWith(' in eu'));
    expect(differing.map((f) => f.code)).toEqual(['constraints_differ', 'defaults_differ']);
    for (const { cure } of differing) for (const statement of cure.sql!) await cluster.sql('eu', statement);
    expect(await check('sales')).toMatchObject({ state: 'can_be_enrolled', items: [{ code: 'generated_key' }, {}] });

    const snowflake = found.items.find((f) => f.code === 'generated_key')!.cure.alternatives!.at(-1)!;
    for (const statement of snowflake.sql) await cluster.everywhere(statement);
    expect((await cluster.rest('us', 'PUT', '/v1/tables/sales', {})).status).toBe(201);
    for (const name of cluster.names)
      await cluster.sql(name, `INSERT INTO sales (currency) SELECT '${name}' FROM generate_series(1, 500)`);
    await cluster.equal('SELECT * FROM sales ORDER BY id', (rows) => rows.length === 1_000);
    expect(await codes('sales')).toEqual(['unique_key_may_park']);
  });

  it('from the command line, whose status says whether something is in error', async () => {
    await cluster.everywhere('CREATE TABLE "Odd/check" (id uuid PRIMARY KEY, amount numeric NOT NULL, currency text)');
    const well = await meridian('doctor', '--table', 'Odd/check');
    expect(well).toMatchObject({ status: 0 });
    expect(well.stdout).toMatch(/^public\."Odd\/check", seen from us: can be enrolled; 0 error/);
    await cluster.everywhere('CREATE TABLE bare (n int)');
    const bare = await meridian('doctor', '--table', 'bare');
    expect(bare).toMatchObject({ status: 1 });
    expect(bare.stdout).toContain('      ALTER TABLE public.bare ADD COLUMN "id" uuid DEFAULT uuidv7() PRIMARY KEY;\n');
    const folder = mkdtempSync(join(tmpdir(), 'meridian-policy-'));
    const policy = join(folder, 'policy.json');
    writeFileSync(policy, '{"groups":[["amount","currency"]]}');
    const grouped = await meridian('doctor', '--table', 'Odd/check', '--policy', policy, '-o', 'json');
    expect(JSON.parse(grouped.stdout)).toMatchObject({ state: 'can_be_enrolled', items: [] });
    rmSync(folder, { recursive: true });
    expect(await meridian('doctor', '--table', 'nothing')).toMatchObject({ status: 1 });
  });

  it('as far as the other region can be asked', async () => {
    await cluster.local.regions[1]!.service.stop();
    expect(await check('sales')).toMatchObject({
      items: [{ code: 'region_not_compared', severity: 'warning', subject: 'region eu' }, {}],
    });
  });
});
