import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

const POLICY = { columns: { stock: { policy: 'bounded-counter', min: 0 } } };

describe('capture of a bounded counter', () => {
  let db: CapturedDatabase;
  let made = 0;
  let table = '';

  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    table = `stocked_${++made}`;
    await db.run(`CREATE TABLE ${table} (id int PRIMARY KEY, name text, stock int NOT NULL CHECK (stock >= 0))`);
    await db.enrol(table, POLICY);
  });

  const shares = async (...keys: number[]): Promise<string[]> => {
    const rows = (await db.rows(
      `SELECT pk, region, amount FROM meridian.shares_of('public.${table}', 1, 'stock', ARRAY[${keys.map((k) => `'["${k}"]'`).join()}])
        ORDER BY pk, region`,
    )) as { pk: string; region: string; amount: string }[];
    return rows.map(({ pk, region, amount }) => `${pk} ${region} ${amount}`);
  };
  /** As apply would bring it from eu. */
  const arrives = (key: number, own: number, given = '{}'): Promise<void> =>
    db.run(`INSERT INTO meridian.share VALUES ('public.${table}', 1, '["${key}"]', 'stock', 'eu', ${own}, '${given}')
            ON CONFLICT (rel, since, pk, column_name, region) DO UPDATE SET own = excluded.own, given = excluded.given`);

  it('gives a new row to the region that inserts it', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 10), (2, 'b', 0)`);
    expect(await shares(1, 2)).toEqual(['["1"] us 10', '["2"] us 0']);
  });

  it('takes decreases off the share, adds increases, and leaves other columns alone', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 10), (2, 'b', 5)`);
    await db.run(`UPDATE ${table} SET stock = stock - id * 2`);
    await db.run(`UPDATE ${table} SET stock = stock + 1 WHERE id = 1`);
    await db.run(`UPDATE ${table} SET name = 'z'`);
    expect(await shares(1, 2)).toEqual(['["1"] us 9', '["2"] us 1']);
  });

  it('refuses what is past the share, and says how much is left and where', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3)`);
    await arrives(1, 7);
    await db.run(`ALTER TABLE ${table} DISABLE TRIGGER meridian_update; UPDATE ${table} SET stock = 10;
                  ALTER TABLE ${table} ENABLE ALWAYS TRIGGER meridian_update`);
    await expect(db.run(`UPDATE ${table} SET stock = stock - 4`)).rejects.toMatchObject({
      code: '23514',
      constraint: 'meridian_share',
      column: 'stock',
      message: `the region us may take 3 more from stock of public.${table} ["1"]; eu may take 7`,
      detail: '{"key": "[\\"1\\"]", "short": "1", "shares": {"eu": "7", "us": "3"}}',
      hint: expect.stringContaining('move by themselves'),
    });
    await db.run(`UPDATE ${table} SET stock = stock - 3`);
    expect(await shares(1)).toEqual(['["1"] eu 7', '["1"] us 0']);
  });

  it('refuses a statement as a whole, and rolls a refused savepoint back alone', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3), (2, 'b', 1)`);
    await arrives(2, 9);
    await expect(db.run(`UPDATE ${table} SET stock = stock - 2`)).rejects.toThrow(/stock_?/);
    expect(await shares(1)).toEqual(['["1"] us 3']);
    await db.run(`BEGIN; UPDATE ${table} SET stock = stock - 1 WHERE id = 1; SAVEPOINT s`);
    await expect(db.run(`UPDATE ${table} SET stock = stock - 3 WHERE id = 1`)).rejects.toThrow('check');
    await db.run('ROLLBACK TO s; COMMIT');
    expect(await shares(1)).toEqual(['["1"] us 2']);
  });

  it('counts upserts, UPDATE … FROM, MERGE and what other statements of the transaction did', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 10)`);
    await db.run(
      `INSERT INTO ${table} VALUES (1, 'a', 1), (2, 'b', 4) ON CONFLICT (id) DO UPDATE SET stock = ${table}.stock - 1`,
    );
    await db.run(`UPDATE ${table} t SET stock = stock - v.n FROM (VALUES (1, 2), (2, 3)) v(id, n) WHERE t.id = v.id`);
    await db.run(`MERGE INTO ${table} t USING (VALUES (1, 3), (3, 8)) v(id, n) ON t.id = v.id
                  WHEN MATCHED THEN UPDATE SET stock = stock - v.n WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'c', v.n)`);
    await db.run(
      `BEGIN; UPDATE ${table} SET stock = stock + 5 WHERE id = 2; UPDATE ${table} SET stock = stock - 6 WHERE id = 2; COMMIT`,
    );
    expect(await shares(1, 2, 3)).toEqual(['["1"] us 4', '["2"] us 0', '["3"] us 8']);
  });

  it('is not bypassed by a writer that says it is a replica', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3)`);
    await db.run(`BEGIN; SET LOCAL session_replication_role = replica; UPDATE ${table} SET stock = stock - 1; COMMIT`);
    expect(await shares(1)).toEqual(['["1"] us 2']);
  });

  it('gives a row that goes on under another key to the region that moved it', async () => {
    await db.run(`INSERT INTO ${table} VALUES (2, 'b', 6), (1, 'a', 10)`);
    await db.run(`UPDATE ${table} SET id = id + 1, stock = stock - 1 WHERE id IN (1, 2)`);
    expect(await shares(3)).toEqual(['["3"] us 5']);
    expect(await shares(2)).toEqual(['["2"] us 9']);
  });

  it('leaves others what they may still take of a row that was deleted, when it is inserted anew', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3)`);
    await arrives(1, 7);
    await db.run(`DELETE FROM ${table}`);
    await expect(db.run(`INSERT INTO ${table} VALUES (1, 'a', 6)`)).rejects.toMatchObject({
      message: expect.stringContaining('eu may take 7'),
      constraint: 'meridian_share',
    });
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 9)`);
    expect(await shares(1)).toEqual(['["1"] eu 7', '["1"] us 2']);
  });

  it('refuses to insert a row anew in a snapshot that may not show the others, and one below the bound', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3); DELETE FROM ${table}`);
    await expect(
      db.run(`BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO ${table} VALUES (1, 'a', 3)`),
    ).rejects.toMatchObject({
      code: '0A000',
    });
    await db.run('ROLLBACK');
    await db.run(`CREATE TABLE floor_${table} (id int PRIMARY KEY, stock int NOT NULL)`);
    await db.enrol(`floor_${table}`, { columns: { stock: { policy: 'bounded-counter', min: 2 } } });
    await expect(db.run(`INSERT INTO floor_${table} VALUES (1, 1)`)).rejects.toMatchObject({
      constraint: 'meridian_bound',
    });
  });

  it('holds while the table was altered and capture is not yet made anew', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 3)`);
    await arrives(1, 7);
    await db.run(`ALTER TABLE ${table} ADD COLUMN more text, DROP CONSTRAINT ${table}_stock_check`);
    await expect(db.run(`UPDATE ${table} SET stock = stock - 4, more = 'x'`)).rejects.toMatchObject({
      constraint: 'meridian_share',
    });
    await db.run(`UPDATE ${table} SET stock = stock - 1, more = 'x'; INSERT INTO ${table} VALUES (2, 'b', 5, 'y')`);
    expect(await shares(1, 2)).toEqual(['["1"] eu 7', '["1"] us 2', '["2"] us 5']);
  });

  it('keeps what transfers bring and take', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 10)`);
    await arrives(1, 6, '{"us": "4", "ap": "1"}');
    expect(await shares(1)).toEqual(['["1"] ap 1', '["1"] eu 1', '["1"] us 14']);
  });

  it('logs the shares behind the rows, to travel in the same tick', async () => {
    await db.run(`INSERT INTO ${table} VALUES (1, 'a', 10)`);
    expect(await db.logged(`UPDATE ${table} SET stock = stock - 2`)).toEqual([
      `public.${table} u ["1"] {"stock":"-2"} < {"stock":"10"}`,
      `meridian.share u ["public.${table}", "1", "[\\"1\\"]", "stock", "us"] {"own":"8","given":"{}","wanted":null} < {"own":"10","given":"{}","wanted":null}`,
    ]);
  });
});
