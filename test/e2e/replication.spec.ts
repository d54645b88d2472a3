import { TestCluster, until } from './cluster.js';

jest.setTimeout(180_000);

describe('three regions, driven by SQL and REST as a user would', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu', 'ap'], 21_000);
    await cluster.everywhere(`
      CREATE TABLE items (id bigint PRIMARY KEY, name text, qty integer NOT NULL DEFAULT 0, price numeric, email text UNIQUE, updated_at timestamptz);
      CREATE TABLE "Odd ""Names""" ("The Key" text, part uuid, "select" jsonb, PRIMARY KEY ("The Key", part));`);
    await cluster.enrol('public.items', { columns: { qty: 'counter' } });
    await cluster.enrol('public."Odd ""Names"""');
  });
  afterAll(() => cluster?.stop());

  it('shows a write of each region in all the others', async () => {
    for (const [i, name] of cluster.names.entries())
      await cluster.sql(name, `INSERT INTO items (id, name, price) VALUES ($1, $2, 1.10)`, [i, `from ${name}`]);
    const rows = await cluster.equal('SELECT * FROM items WHERE id < 3 ORDER BY id', (r) => r.length === 3);
    expect(rows.map((r) => [r.name, r.price])).toEqual([
      ['from us', '1.10'],
      ['from eu', '1.10'],
      ['from ap', '1.10'],
    ]);
  });

  it('refuses rows from a region that does not exist, also for a table that is enrolled', async () => {
    const policy = { columns: { qty: 'counter' }, initial: { copyFrom: 'mars' } };
    const answer = await cluster.rest('us', 'PUT', '/v1/tables/public.items', policy);
    expect([answer.ok, await answer.text()]).toEqual([false, expect.stringContaining('there is no region mars')]);
  });

  it('refuses a policy that ranks a region that does not exist', async () => {
    const policy = { columns: { qty: 'counter', name: { policy: 'region-priority', regions: ['us', 'mars'] } } };
    const answer = await cluster.rest('us', 'PUT', '/v1/tables/public.items', policy);
    const text = await answer.text();
    expect([answer.ok, text]).toEqual([false, expect.stringContaining('region-priority: there is no region mars')]);
  });

  it('replicates quoted and composite names and jsonb to the letter', async () => {
    await cluster.sql(
      'eu',
      `INSERT INTO "Odd ""Names""" VALUES ('a "key", with \\ and é', gen_random_uuid(), '"text"'), ('b', gen_random_uuid(), '{"a": [1, null]}')`,
    );
    const rows = await cluster.equal(`SELECT * FROM "Odd ""Names""" ORDER BY 1`, (r) => r.length === 2);
    expect(rows.map((r) => r.select)).toEqual(['text', { a: [1, null] }]);
  });

  it('keeps updates of different columns of one row made in two regions that cannot see each other', async () => {
    await cluster.sql('us', `INSERT INTO items (id, name, price) VALUES (10, 'base', 1)`);
    await cluster.equal('SELECT id FROM items WHERE id = 10', (r) => r.length === 1);
    cluster.local.isolate('eu');
    await cluster.sql('us', `UPDATE items SET name = 'us name' WHERE id = 10`);
    await cluster.sql('eu', `UPDATE items SET price = 99 WHERE id = 10`);
    cluster.local.heal();
    const [row] = await cluster.equal(
      'SELECT * FROM items WHERE id = 10',
      ([r]) => r?.price === '99' && r.name === 'us name',
    );
    expect(row).toBeDefined();
    expect((await cluster.conflicts('us')).filter((c) => JSON.stringify(c.key).includes('10'))).toEqual([]);
  });

  it('decides one column written in two regions the same everywhere, and records the loser once', async () => {
    await cluster.sql('us', `INSERT INTO items (id, name) VALUES (20, 'base')`);
    await cluster.equal('SELECT id FROM items WHERE id = 20', (r) => r.length === 1);
    cluster.local.isolate('eu');
    await cluster.sql('eu', `UPDATE items SET name = 'eu', qty = qty + 5 WHERE id = 20`);
    await cluster.sql('us', `UPDATE items SET name = 'us', qty = qty + 2 WHERE id = 20`);
    cluster.local.heal();
    const [row] = await cluster.equal('SELECT name, qty FROM items WHERE id = 20', ([r]) => r?.qty === 7);
    expect(row).toEqual({ name: 'us', qty: 7 });
    const about20 = async (name: string) =>
      (await cluster.conflicts(name)).filter((c) => JSON.stringify(c.key).includes('20'));
    await until(async () => (await about20('ap')).length === 1, 'the record reaches ap');
    for (const name of cluster.names)
      expect(await about20(name)).toMatchObject([{ kind: 'update_origin_differs', status: 'open' }]);
    expect((await about20('us'))[0]!.reason).toMatch(
      /us's write won: its stamp is \d+ ms later; eu had not yet seen it/,
    );
  });

  it('goes on after the same unique value and the same primary key were inserted in two regions', async () => {
    cluster.local.isolate('eu');
    await cluster.sql('us', `INSERT INTO items (id, email) VALUES (30, 'ada@example.com'), (32, 'pk@us')`);
    await cluster.sql('eu', `INSERT INTO items (id, email) VALUES (31, 'ada@example.com'), (32, 'pk@eu')`);
    cluster.local.heal();
    const rows = await cluster.equal(
      'SELECT id, email FROM items WHERE id BETWEEN 30 AND 32 ORDER BY id',
      (r) => r.length === 2,
    );
    expect(rows).toEqual([
      { id: '30', email: 'ada@example.com' },
      { id: '32', email: 'pk@eu' },
    ]);
    await until(
      async () => (await cluster.conflicts('ap')).filter((c) => c.kind === 'insert_exists').length === 2,
      'both recorded',
    );
    await cluster.sql('us', `DELETE FROM items WHERE id = 30`);
    await cluster.equal(
      'SELECT id, email FROM items WHERE id BETWEEN 30 AND 31',
      (r) => r.length === 1 && r[0]!.id === '31',
    );
    await cluster.sql('ap', `INSERT INTO items (id, name) VALUES (39, 'still flowing')`);
    await cluster.equal('SELECT id FROM items WHERE id = 39', (r) => r.length === 1);
  });

  it('restores a row that was deleted beside a concurrent update (update-wins)', async () => {
    await cluster.sql('us', `INSERT INTO items (id, name, price) VALUES (40, 'base', 7)`);
    await cluster.equal('SELECT id FROM items WHERE id = 40', (r) => r.length === 1);
    cluster.local.isolate('eu');
    await cluster.sql('us', `DELETE FROM items WHERE id = 40`);
    await cluster.sql('eu', `UPDATE items SET name = 'kept' WHERE id = 40`);
    cluster.local.heal();
    const [row] = await cluster.equal('SELECT name, price FROM items WHERE id = 40', (r) => r.length === 1);
    expect(row).toEqual({ name: 'kept', price: '7' });
  });

  it('serves REST in every region, and a token carries a write along (I8)', async () => {
    const written = await cluster.rest('us', 'POST', '/v1/data/items', { id: 50, name: 'by REST' });
    expect(written.status).toBe(201);
    const token = written.headers.get('meridian-session')!;
    for (const name of ['eu', 'ap']) {
      const read = await cluster.rest(name, 'GET', '/v1/data/items/50', undefined, { 'meridian-session': token });
      expect([read.status, ((await read.json()) as { name: string }).name]).toEqual([200, 'by REST']);
    }
  });
});
