import { CapturedDatabase } from '../testing/captured-database.js';

describe('capture', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open();
    await db.run(`CREATE TABLE items (id bigint PRIMARY KEY, name text, qty int NOT NULL DEFAULT 0)`);
    await db.enrol('items', { columns: { qty: 'counter' } });
  });
  beforeEach(() => db.run('DELETE FROM items'));
  afterAll(() => db.close());

  it('logs an insert with the whole row', async () => {
    expect(await db.logged(`INSERT INTO items VALUES (1, 'a "quoted" \\ name', 5), (2, NULL, 0)`)).toEqual([
      String.raw`public.items i ["1"] {"id":"1","name":"a \"quoted\" \\ name","qty":"5"}`,
      'public.items i ["2"] {"id":"2","name":null,"qty":"0"}',
    ]);
  });

  it('logs an update with the changed columns only, counters as differences', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 5), (2, 'b', 5)`);
    expect(await db.logged(`UPDATE items SET qty = qty - 7, name = CASE id WHEN 1 THEN 'A' ELSE name END`)).toEqual([
      'public.items u ["1"] {"name":"A","qty":"-7"} < {"name":"a","qty":"5"}',
      'public.items u ["2"] {"qty":"-7"} < {"qty":"5"}',
    ]);
  });

  it('logs a delete with the whole old row', async () => {
    await db.run(`INSERT INTO items VALUES (1, NULL, 5)`);
    expect(await db.logged('DELETE FROM items')).toEqual(['public.items d ["1"] < {"id":"1","name":null,"qty":"5"}']);
  });

  it('logs nothing for an update that changes nothing', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 5)`);
    expect(await db.logged(`UPDATE items SET name = 'a', qty = qty`)).toEqual([]);
  });

  it('comes out right for set id = id + 1 over many rows: the first is deleted, the last is new', async () => {
    await db.run(`CREATE TABLE row_of_ids (id int PRIMARY KEY DEFERRABLE, v text)`);
    await db.run(`INSERT INTO items SELECT g, 'n' || g, g FROM generate_series(1, 3) g`);
    expect(await db.logged('UPDATE items SET id = id + 10')).toEqual(
      expect.arrayContaining([
        'public.items d ["1"] < {"id":"1","name":"n1","qty":"1"}',
        'public.items i ["11"] {"id":"11","name":"n1","qty":"1"}',
      ]),
    );
  });
});
