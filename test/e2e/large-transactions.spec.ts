import { TestCluster } from './cluster.js';

jest.setTimeout(600_000);

/** Two services as users start them; what they hold in memory is measured by hand (docs/guides/operating.md). */
describe('a transaction of more text than one string of V8 can hold', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 22_700);
    await cluster.everywhere(`
      CREATE TABLE large (id int PRIMARY KEY, note text);
      CREATE TABLE small (id int PRIMARY KEY);`);
    await cluster.enrol('public.large');
    await cluster.enrol('public.small');
  });
  afterAll(() => cluster?.stop());

  const DIGESTS = 'SELECT id, length(note) AS length, md5(note) FROM large ORDER BY id';

  it('arrives whole, and so does what is written after it', async () => {
    await cluster.sql('us', `INSERT INTO large SELECT g, repeat(md5(g::text), 312500) FROM generate_series(1, 55) g`);
    await cluster.sql('us', 'INSERT INTO small VALUES (1)');
    await cluster.equal('SELECT * FROM small', (rows) => rows.length === 1, 400_000);
    expect(await cluster.equal(DIGESTS)).toHaveLength(55);
  });

  it('may be one value of 100 MB, changed', async () => {
    await cluster.sql('us', `INSERT INTO large VALUES (100, repeat('0123456789', 10000000))`);
    await cluster.sql('us', `UPDATE large SET note = note || 'x' WHERE id = 100`);
    await cluster.sql('eu', 'INSERT INTO small VALUES (2)');
    await cluster.sql('us', 'INSERT INTO small VALUES (3)');
    await cluster.equal('SELECT * FROM small ORDER BY id', (rows) => rows.length === 3, 200_000);
    expect((await cluster.equal(DIGESTS)).at(-1)).toMatchObject({ id: 100, length: 100_000_001 });
  });
});
