import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

describe('capture', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
    await db.run(`
      CREATE TABLE items (id bigint PRIMARY KEY, name text, qty int NOT NULL DEFAULT 0);
      CREATE SCHEMA "My Schema";
      CREATE TABLE "My Schema"."Orders ""; drop" ("Region" text, "__proto__" int, "a ""quoted"" \\ column" text, constructor text,
        stamp text, actor text, "100% $1" text, PRIMARY KEY ("Region", "__proto__"));
      CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE, other_id int REFERENCES parent ON DELETE SET NULL);
      CREATE TABLE emails (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, name text, shout text GENERATED ALWAYS AS (upper(name)) STORED)`);
    await db.enrol('items', { columns: { qty: 'counter' } });
    await (
      await db.enrolment.prepare({ schema: 'My Schema', name: 'Orders ""; drop'.replace('""', '"') }, {})
    ).commit();
    for (const table of ['parent', 'child', 'emails']) await db.enrol(table);
  });
  beforeEach(() => db.run('DELETE FROM items; DELETE FROM parent; DELETE FROM child; DELETE FROM emails'));
  afterEach(async () => {
    for (const table of ['items', 'parent', 'child', 'emails'])
      expect(await db.replayed(`public.${table}`, ['qty'])).toEqual(await db.content(`public.${table}`));
  });
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
    await db.run(`INSERT INTO items SELECT g, 'n' || g, g FROM generate_series(3, 1, -1) g`);
    const log = await db.logged('UPDATE items SET id = id + 1');
    expect(log.map((entry) => entry.slice(0, 22)).sort()).toEqual([
      'public.items d ["1"] {',
      'public.items i ["4"] {',
      'public.items u ["2"] {',
      'public.items u ["3"] {',
    ]);
  });

  it('comes out right for set id = id + 1 over rows that the same transaction has inserted', async () => {
    const log = await db.logged(
      `BEGIN; INSERT INTO items SELECT g, 'n' || g, g FROM generate_series(3, 1, -1) g; UPDATE items SET id = id + 1; COMMIT`,
    );
    expect(log.filter((e) => e.includes('["2"]')).map((e) => e[13])).toEqual(['i', 'u']);
  });

  it('logs a TRUNCATE as deletes with their rows, and refuses it where the snapshot may not see them all', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 5), (2, 'b', 0)`);
    await expect(db.run('BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE items')).rejects.toThrow(/READ COMMITTED/);
    await db.run('ROLLBACK');
    expect(await db.logged('TRUNCATE items')).toEqual([
      'public.items d ["1"] < {"id":"1","name":"a","qty":"5"}',
      'public.items d ["2"] < {"id":"2","name":"b","qty":"0"}',
    ]);
  });

  it('logs a TRUNCATE CASCADE on every table that it empties', async () => {
    await db.run('INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
    const log = await db.logged('TRUNCATE parent CASCADE');
    expect(log.map((e) => e.split(' <')[0]).sort()).toEqual(['public.child d ["1"]', 'public.parent d ["1"]']);
  });

  it('logs COPY, INSERT … SELECT and a writable CTE', async () => {
    expect(await db.logged(`INSERT INTO items SELECT g, 'x' FROM generate_series(1, 3) g`)).toHaveLength(3);
    const moved = await db.logged(
      `WITH gone AS (DELETE FROM items WHERE id < 3 RETURNING *) INSERT INTO items SELECT id + 10, name, qty FROM gone`,
    );
    expect(moved.map((e) => e.slice(13, 22)).sort()).toEqual(['d ["1"] <', 'd ["2"] <', 'i ["11"] ', 'i ["12"] ']);
    expect(await db.logged(`COPY items FROM PROGRAM 'echo 100,copied,1' WITH (FORMAT csv)`)).toEqual([
      'public.items i ["100"] {"id":"100","name":"copied","qty":"1"}',
    ]);
  });

  it('logs ON CONFLICT as the insert or the update that it was', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 5)`);
    const upsert = `INSERT INTO items VALUES (1, 'b', 1), (2, 'new', 1) ON CONFLICT (id) DO UPDATE SET qty = items.qty + 1`;
    expect(await db.logged(upsert)).toEqual([
      'public.items u ["1"] {"qty":"1"} < {"qty":"5"}',
      'public.items i ["2"] {"id":"2","name":"new","qty":"1"}',
    ]);
    expect(await db.logged(`INSERT INTO items VALUES (1, 'c') ON CONFLICT DO NOTHING`)).toEqual([]);
  });

  it('logs MERGE, also where one statement deletes a row and inserts another with its key', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`);
    const log = await db.logged(`
      MERGE INTO items t USING (VALUES (1, 'delete', 0), (2, 'move', 20), (3, 'rename', 0), (100, 'insert', 1), (101, 'insert', 2)) s(id, what, key)
      ON t.id = s.id
      WHEN MATCHED AND what = 'delete' THEN DELETE
      WHEN MATCHED AND what = 'move' THEN UPDATE SET id = s.key
      WHEN MATCHED THEN UPDATE SET name = what
      WHEN NOT MATCHED THEN INSERT VALUES (s.key, 'merged', 0)`);
    expect(log.filter((e) => e.includes('["1"]')).map((e) => e[13])).toEqual(['d', 'i']);
    expect(log.filter((e) => e.includes('["2"]')).map((e) => e[13])).toEqual(['d', 'i']);
    expect(log.filter((e) => e.includes('["3"]'))).toEqual(['public.items u ["3"] {"name":"rename"} < {"name":"c"}']);
  });

  it('logs a delete before the insert with its key, though the statement’s insert is done first', async () => {
    await db.run(`INSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2)`);
    const log = await db.logged(
      `WITH gone AS (DELETE FROM items RETURNING *) INSERT INTO items SELECT id, 'again', 0 FROM gone LIMIT 1`,
    );
    expect(log.filter((e) => e.includes('["1"]')).map((e) => e[13])).toEqual(['d', 'i']);
  });

  it('keeps quiet about what a savepoint or a transaction rolled back', async () => {
    expect(
      await db.logged(`BEGIN; INSERT INTO items VALUES (1); SAVEPOINT s; INSERT INTO items VALUES (2); UPDATE items SET qty = 9;
        ROLLBACK TO s; INSERT INTO items VALUES (3); RELEASE s; COMMIT`),
    ).toEqual([
      'public.items i ["1"] {"id":"1","name":null,"qty":"0"}',
      'public.items i ["3"] {"id":"3","name":null,"qty":"0"}',
    ]);
    expect(await db.logged('BEGIN; DELETE FROM items; ROLLBACK')).toEqual([]);
  });

  it('logs a prepared transaction when it is committed, under the xid it had', async () => {
    await db.run(`BEGIN; INSERT INTO items VALUES (1); PREPARE TRANSACTION 'two-phase'`);
    expect(await db.rows(`SELECT FROM items`)).toEqual([]);
    expect(await db.logged(`COMMIT PREPARED 'two-phase'`)).toEqual([
      'public.items i ["1"] {"id":"1","name":null,"qty":"0"}',
    ]);
  });

  it('logs what ON DELETE CASCADE and SET NULL do to the children', async () => {
    await db.run('INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (10, 1, NULL), (11, 2, 1)');
    expect((await db.logged('DELETE FROM parent WHERE id = 1')).sort()).toEqual([
      'public.child d ["10"] < {"id":"10","parent_id":"1","other_id":null}',
      'public.child u ["11"] {"other_id":null} < {"other_id":"1"}',
      'public.parent d ["1"] < {"id":"1"}',
    ]);
  });

  it('touches the parents that a change sets a foreign key to, each once, after the rows', async () => {
    await db.run('INSERT INTO parent VALUES (1), (2)');
    const touch = (id: number): string => `public.parent u ["${id}"] {} < {}`;
    expect((await db.logged('INSERT INTO child VALUES (10, 1), (11, 1), (12, NULL)')).slice(3)).toEqual([touch(1)]);
    expect((await db.logged('UPDATE child SET other_id = 2 WHERE id <> 12')).slice(2)).toEqual([touch(2)]);
    expect(await db.logged('UPDATE child SET parent_id = NULL WHERE id = 10')).toHaveLength(1);
    expect((await db.logged('UPDATE child SET id = 20 WHERE id = 11')).slice(2).sort()).toEqual([touch(1), touch(2)]);
  });

  it('never ships a generated column, and ships the value of an identity', async () => {
    const [entry] = await db.logged(`INSERT INTO emails (email, name) VALUES ('a@x', 'ann')`);
    expect(entry).toMatch(/^public.emails i \["\d+"\] \{"id":"\d+","email":"a@x","name":"ann"\}$/);
    expect(await db.logged(`UPDATE emails SET name = 'bob'`)).toEqual([
      expect.stringMatching(/ u \["\d+"\] \{"name":"bob"\} < \{"name":"ann"\}$/),
    ]);
  });

  it('takes every name as data, however it is written', async () => {
    const table = '"My Schema"."Orders ""; drop"';
    const log = await db.logged(
      `INSERT INTO ${table} VALUES ('eu', 7, 'x', 'y', 's', 'a', 'p'); UPDATE ${table} SET "100% $1" = 'q', stamp = NULL; TRUNCATE ${table}`,
    );
    const row = String.raw`{"Region":"eu","__proto__":"7","a \"quoted\" \\ column":"x","constructor":"y","stamp":"s","actor":"a","100% $1":"p"}`;
    expect(log).toEqual([
      `${table} i ["eu", "7"] ${row}`,
      `${table} u ["eu", "7"] {"stamp":null,"100% $1":"q"} < {"stamp":"s","100% $1":"p"}`,
      `${table} d ["eu", "7"] < ${row.replace('"stamp":"s"', '"stamp":null').replace('"p"}', '"q"}')}`,
    ]);
  });

  it('gives a session stamps that rise, also when the clock is behind the highest applied', async () => {
    const ahead = 2n ** 60n;
    await db.run(`INSERT INTO items VALUES (1)`);
    for (let i = 0; i < 5; i++) await db.run('UPDATE items SET qty = qty + 1');
    await db.run(`SELECT setval('meridian.stamp', ${ahead})`);
    await db.run('UPDATE items SET qty = qty + 1; UPDATE items SET qty = qty + 1');
    const rows = (await db.rows(`SELECT stamp, wall FROM meridian.change ORDER BY id DESC LIMIT 8`)) as {
      stamp: string;
      wall: string;
    }[];
    const stamps = rows.map((r) => BigInt(r.stamp)).reverse();
    expect(stamps.slice(1).every((s, i) => s > stamps[i]!)).toBe(true);
    expect(stamps.slice(-2)).toEqual([ahead + 1n, ahead + 2n]);
    expect(BigInt(rows[7]!.stamp) >> 16n).toBe(BigInt(rows[7]!.wall) / 1000n);
    await db.run(`SELECT setval('meridian.stamp', 1)`);
  });

  it('names the actor and the application that the service set, else the session and its own', async () => {
    await db.run(
      `SET application_name = 'psql'; INSERT INTO items VALUES (1); SET meridian.actor = 'ann'; INSERT INTO items VALUES (2); SET meridian.application = 'curl/8'; INSERT INTO items VALUES (3); RESET meridian.actor; RESET meridian.application`,
    );
    const rows = await db.rows(`SELECT actor FROM meridian.change ORDER BY id DESC LIMIT 3`);
    expect(rows).toEqual([{ actor: 'ann\tcurl/8' }, { actor: 'ann\tpsql' }, { actor: 'postgres\tpsql' }]);
  });

  it('refuses a change that no region could be sent, where it is written', async () => {
    await expect(db.run(`INSERT INTO items VALUES (1, repeat('x', 210000000))`)).rejects.toMatchObject({
      code: '54000',
      message: expect.stringMatching(/^a change of 210 MB cannot be replicated: 200 MB/) as string,
      hint: expect.stringContaining('pieces') as string,
    });
  }, 60_000);

  it('refuses to let a numeric counter become what cannot be added to', async () => {
    await db.run('CREATE TABLE sums (id int PRIMARY KEY, total numeric NOT NULL)');
    await db.enrol('sums', { columns: { total: 'counter' } });
    await db.run('INSERT INTO sums VALUES (1, 0.10)');
    expect(await db.logged('UPDATE sums SET total = total + 123456789012345678901234567890.05')).toEqual([
      'public.sums u ["1"] {"total":"123456789012345678901234567890.05"} < {"total":"0.10"}',
    ]);
    await expect(db.run(`UPDATE sums SET total = 'NaN'`)).rejects.toThrow(/a counter cannot become NaN/);
    await expect(db.run(`INSERT INTO sums VALUES (2, 'Infinity')`)).rejects.toThrow(/a counter cannot become Infinity/);
  });
});
