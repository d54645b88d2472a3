import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

/** Before upkeep has noticed: nothing here renews capture unless the test says so. */
describe('capture of a table that was altered', () => {
  let db: CapturedDatabase;
  let made = 0;
  let t = '';
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
  });
  beforeEach(async () => {
    t = `item_${++made}`;
    await db.run(`CREATE TABLE ${t} (id int PRIMARY KEY, x text, y text, n int NOT NULL DEFAULT 0);
      INSERT INTO ${t} VALUES (1, 'a', 'b', 5), (2, 'c', 'd', 6)`);
    await db.enrol(t, { columns: { n: 'counter' } });
    // The session has the plans of the table as it was.
    await db.run(`UPDATE ${t} SET x = x || '.'; INSERT INTO ${t} VALUES (9); DELETE FROM ${t} WHERE id = 9`);
  });
  afterAll(() => db.close());

  const logged = async (work: string): Promise<string[]> =>
    (await db.logged(work)).map((entry) => entry.replace(`public.${t} `, ''));

  it('logs what a new column is given, by whatever session', async () => {
    await db.run(`ALTER TABLE ${t} ADD COLUMN z timestamptz`);
    expect(await logged(`UPDATE ${t} SET z = '2026-01-01 00:00+00', n = n + 2 WHERE id = 1`)).toEqual([
      'u ["1"] {"z":"2026-01-01 00:00:00+00","n":"2"} < {"z":null,"n":"5"}',
    ]);
    const other = await db.other();
    await other.query(`SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'`);
    expect(
      await db.logged(async () => {
        await other.query(`INSERT INTO ${t} (id, z) VALUES (3, '2026-01-01 00:00+00')`);
        expect((await other.query(`SELECT z::text FROM ${t} WHERE id = 3`)).rows).toEqual([
          { z: '01.01.2026 09:00:00 JST' },
        ]);
      }),
    ).toEqual([`public.${t} i ["3"] {"id":"3","x":null,"y":null,"n":"0","z":"2026-01-01 00:00:00+00"}`]);
    await other.end();
    expect(await logged(`DELETE FROM ${t} WHERE id = 1`)).toEqual([
      'd ["1"] < {"id":"1","x":"a.","y":"b","n":"7","z":"2026-01-01 00:00:00+00"}',
    ]);
  });

  it('goes on with the columns that are left when one is dropped, the counter too', async () => {
    await db.run(`ALTER TABLE ${t} DROP COLUMN x`);
    expect(
      await logged(`UPDATE ${t} SET y = 'B' WHERE id = 1; INSERT INTO ${t} VALUES (3, 'e', 1); DELETE FROM ${t}`),
    ).toEqual([
      'u ["1"] {"y":"B"} < {"y":"b"}',
      'i ["3"] {"id":"3","y":"e","n":"1"}',
      'd ["2"] < {"id":"2","y":"d","n":"6"}',
      'd ["1"] < {"id":"1","y":"B","n":"5"}',
      'd ["3"] < {"id":"3","y":"e","n":"1"}',
    ]);
    await db.run(`ALTER TABLE ${t} DROP COLUMN n; INSERT INTO ${t} VALUES (4, 'f')`);
    expect(await logged(`TRUNCATE ${t}`)).toEqual(['d ["4"] < {"id":"4","y":"f"}']);
  });

  it('logs a renamed column under the name that the regions know, a counter as differences', async () => {
    await db.run(`ALTER TABLE ${t} RENAME COLUMN n TO count; ALTER TABLE ${t} RENAME COLUMN x TO n`);
    expect(await logged(`UPDATE ${t} SET count = count - 7, n = 'A' WHERE id = 1`)).toEqual([
      'u ["1"] {"x":"A","n":"-7"} < {"x":"a.","n":"5"}',
    ]);
    await db.run(`ALTER TABLE ${t} RENAME TO ${t}_renamed`);
    expect(await logged(`DELETE FROM ${t}_renamed WHERE id = 1`)).toEqual([
      'd ["1"] < {"id":"1","x":"A","y":"b","n":"-2"}',
    ]);
  });

  it('reads a column by the type that it has now', async () => {
    await db.run(`ALTER TABLE ${t} ALTER COLUMN n TYPE bigint, ALTER COLUMN y TYPE json USING to_json(y)`);
    expect(await logged(`UPDATE ${t} SET n = 5000000005, y = '{"a" : "\\"1"}' WHERE id = 1`)).toEqual([
      String.raw`u ["1"] {"y":"{\"a\" : \"\\\"1\"}","n":"5000000000"} < {"y":"\"b\"","n":"5"}`,
    ]);
    await db.run(`ALTER TABLE ${t} ALTER COLUMN id TYPE text`);
    expect(await logged(`UPDATE ${t} SET id = '"' WHERE id = '1'`)).toEqual([
      String.raw`d ["1"] {} < {"id":"1","x":"a.","y":"{\"a\" : \"\\\"1\"}","n":"5000000005"}`,
      String.raw`i ["\""] {"id":"\"","x":"a.","y":"{\"a\" : \"\\\"1\"}","n":"5000000005"}`,
    ]);
  });

  it('keeps groups together, and a row that is one group whole', async () => {
    await db.enrol(t, { columns: { n: 'counter' }, groups: [['x', 'y']] });
    await db.run(`ALTER TABLE ${t} ADD COLUMN z int`);
    expect(await logged(`UPDATE ${t} SET x = 'A' WHERE id = 1`)).toEqual([
      'u ["1"] {"x":"A","y":"b"} < {"x":"a.","y":"b"}',
    ]);
    await db.enrol(t, { columns: { n: 'counter' }, granularity: 'row' });
    await db.run(`ALTER TABLE ${t} ADD COLUMN v int`);
    expect(await logged(`UPDATE ${t} SET v = 1 WHERE id = 2`)).toEqual([
      'u ["2"] {"x":"c.","y":"d","z":null,"v":"1"} < {"x":"c.","y":"d","z":null,"v":null}',
    ]);
  });

  it('takes a write of the transaction that alters the table', async () => {
    expect(
      await logged(
        `BEGIN; ALTER TABLE ${t} ADD COLUMN z int DEFAULT 3; UPDATE ${t} SET z = 4 WHERE id = 1; ALTER TABLE ${t} DROP COLUMN x; UPDATE ${t} SET y = 'B' WHERE id = 1; COMMIT`,
      ),
    ).toEqual(['u ["1"] {"z":"4"} < {"z":"3"}', 'u ["1"] {"y":"B"} < {"y":"b"}']);
  });

  it('has a transaction taken again whose snapshot is older than the alteration, rather than leave anything out', async () => {
    const other = await db.other();
    await other.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class LIMIT 1`);
    await db.run(`ALTER TABLE ${t} ADD COLUMN z int`);
    await expect(other.query(`UPDATE ${t} SET z = 1`)).rejects.toMatchObject({ code: '40001' });
    await other.end();
  });

  it('says why a write is refused whose rows could no longer be told apart', async () => {
    await db.run(`ALTER TABLE ${t} DROP COLUMN id`);
    await expect(db.run(`UPDATE ${t} SET x = 'A'`)).rejects.toThrow(
      /a key column of the replicated table .* was dropped/,
    );
  });

  it('is generated anew, and is then as quick as ever', async () => {
    await db.run(`ALTER TABLE ${t} DROP COLUMN x, ADD COLUMN z int`);
    expect(await db.enrolment.captureDrift()).toContain(`public.${t}`);
    expect(await db.enrolment.renewCapture(`public.${t}` as never)).toEqual({ differs: null, problems: [] });
    await db.run('ALTER FUNCTION meridian.altered_capture RENAME TO not_needed');
    expect(await logged(`UPDATE ${t} SET z = 1 WHERE id = 1`)).toEqual(['u ["1"] {"z":"1"} < {"z":null}']);
    await db.run('ALTER FUNCTION meridian.not_needed RENAME TO altered_capture');
  });

  it('is not made at run time as long as nobody alters the table, whatever its columns are', async () => {
    await db.run(`CREATE SCHEMA "a.b"; CREATE DOMAIN "a.b".short AS varchar(10) NOT NULL; CREATE TYPE "a.b".mood AS ENUM ('calm');
      CREATE TABLE "a.b"."T ""x""" (id bigint PRIMARY KEY, gone int, "100% $1, ""q"" \\ '" text, c char(3), b bit(3), "char" "char", d "a.b".short,
        e "a.b".mood[], n numeric(10,2), at time(3) with time zone, i interval day to second, g int GENERATED ALWAYS AS (1) STORED);
      ALTER TABLE "a.b"."T ""x""" DROP COLUMN gone`);
    await (await db.enrolment.prepare({ schema: 'a.b', name: 'T "x"' }, {})).commit();
    await db.run('ALTER FUNCTION meridian.altered_capture RENAME TO not_needed');
    const work = `INSERT INTO "a.b"."T ""x""" (id, d) VALUES (1, ''); UPDATE "a.b"."T ""x""" SET c = 'c'; TRUNCATE "a.b"."T ""x"""`;
    expect(await db.logged(work)).toHaveLength(3);
    await db.run('ALTER FUNCTION meridian.not_needed RENAME TO altered_capture');
  });
});
