import { TestCluster } from './cluster.js';

jest.setTimeout(180_000);

interface Answer {
  readonly keySequences: readonly { readonly region: string; readonly set: boolean; readonly increment: string }[];
  readonly reasons?: readonly { readonly code: string; readonly cure: string }[];
}

describe('generated keys in three regions', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu', 'ap'], 22_600);
    await cluster.everywhere(`
      CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text);
      CREATE TABLE tickets (id serial PRIMARY KEY, at text);
      CREATE TABLE stepped (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 50) PRIMARY KEY);`);
    await cluster.sql('us', `INSERT INTO tickets (at) SELECT 'before' FROM generate_series(1, 30)`);
  });
  afterAll(() => cluster?.stop());

  const put = async (table: string, policy = {}): Promise<Answer> =>
    (await (await cluster.rest('eu', 'PUT', `/v1/tables/${table}`, policy)).json()) as Answer;

  it('never take the same number, in whichever region rows are inserted (I2, I3)', async () => {
    for (const [table, policy] of [
      ['public.orders', {}],
      ['public.tickets', { initial: { copyFrom: 'us' } }],
    ] as const) {
      const { keySequences } = await put(table, policy);
      expect(keySequences.map((k) => [k.region, k.set, k.increment]).sort()).toEqual([
        ['ap', true, '16'],
        ['eu', true, '16'],
        ['us', true, '16'],
      ]);
    }
    const insert = (name: string, table: string) =>
      cluster.sql(name, `INSERT INTO ${table} (at) SELECT '${name}' FROM generate_series(1, 5)`);
    for (let round = 0; round < 20; round++)
      await Promise.all(cluster.names.flatMap((name) => ['orders', 'tickets'].map((table) => insert(name, table))));
    await cluster.equal('SELECT * FROM orders ORDER BY id', (rows) => rows.length === 300);
    await cluster.equal('SELECT * FROM tickets ORDER BY id', (rows) => rows.length === 330);
    for (const name of cluster.names) expect(await cluster.conflicts(name)).toEqual([]);
  });

  it('changes nothing when the table is enrolled again', async () => {
    expect((await put('public.orders')).keySequences.map((k) => k.set)).toEqual([false, false, false]);
  });

  it('refuses sequences that count by a step of their own and meet, until each region has a place of its own', async () => {
    const refused = await put('public.stepped');
    expect(refused.reasons?.map((r) => r.code)).toEqual(Array(3).fill('key_sequences_meet'));
    for (const [i, name] of cluster.names.entries())
      await cluster.sql(name, `ALTER TABLE stepped ALTER id RESTART WITH ${i + 1}`);
    expect((await put('public.stepped')).keySequences.map((k) => [k.set, k.increment])).toEqual(
      Array(3).fill([false, '50']),
    );
  });
});
