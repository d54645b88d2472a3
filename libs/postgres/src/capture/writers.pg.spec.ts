import { templateDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { CapturedDatabase } from '../testing/captured-database.js';

describe('who is captured', () => {
  let db: CapturedDatabase;
  const writer = `meridian_test_writer_${process.pid}`;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
    await db.run(`
      CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE);
      CREATE ROLE ${writer} LOGIN PASSWORD 'w';
      GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON parent, child TO ${writer}`);
    await db.enrol('parent');
    await db.enrol('child');
  });
  afterAll(async () => {
    await db.run(`DROP OWNED BY ${writer}; DROP ROLE ${writer}`);
    await db.close();
  });

  async function as(user: string, password: string, sql: string): Promise<string[]> {
    const url = new URL(db.db.url);
    url.username = user;
    url.password = password;
    const session = await db.other(url.href);
    try {
      return await db.logged(() => session.query(sql));
    } finally {
      await session.end();
    }
  }

  it('captures a writer that has no right on the schema meridian', async () => {
    const log = await as(
      writer,
      'w',
      'INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); UPDATE child SET parent_id = 1; DELETE FROM child',
    );
    expect(log.map((e) => e.split(' {')[0]!.split(' <')[0])).toEqual([
      'public.parent i ["1"]',
      'public.child i ["1"]',
      'public.parent u ["1"]',
      'public.child d ["1"]',
    ]);
    await expect(as(writer, 'w', 'SELECT * FROM meridian.change')).rejects.toThrow(/permission denied/);
  });

  it('captures a writer that set session_replication_role, as pg_restore does', async () => {
    expect(
      await db.logged('BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO parent VALUES (2); COMMIT'),
    ).toHaveLength(1);
  });

  it('captures a writer that became the apply role by SET ROLE', async () => {
    expect(
      await db.logged(`BEGIN; SET LOCAL ROLE ${db.applyRole}; INSERT INTO parent VALUES (3); COMMIT`),
    ).toHaveLength(1);
  });

  it('leaves out what apply writes, also through a cascade that runs as the table’s owner', async () => {
    await db.run('INSERT INTO parent VALUES (7); INSERT INTO child VALUES (7, 7)');
    const apply = new Client({ connectionString: db.applyUrl });
    await apply.connect();
    // In the origin role, so that the cascade runs.
    expect(
      await db.logged(() =>
        apply.query('INSERT INTO parent VALUES (8); DELETE FROM parent WHERE id = 7; TRUNCATE meridian.race'),
      ),
    ).toEqual([]);
    expect(await db.rows('SELECT FROM child WHERE id = 7')).toEqual([]);
    expect(
      await db.logged(() => apply.query('SET session_replication_role = replica; INSERT INTO parent VALUES (9)')),
    ).toEqual([]);
    await apply.end();
  });

  it('reads all rows of a table when it logs a TRUNCATE in a session with a search path of its own', async () => {
    await db.run(
      `CREATE SCHEMA shadow; CREATE TABLE shadow.child (LIKE child); CREATE FUNCTION shadow.to_json(text) RETURNS json LANGUAGE sql AS $$ SELECT '"shadowed"'::json $$`,
    );
    await db.run('SET search_path = shadow, public, pg_catalog');
    await db.run('INSERT INTO public.child VALUES (70, NULL)');
    expect(await db.logged('TRUNCATE public.child')).toEqual(['public.child d ["70"] < {"id":"70","parent_id":null}']);
    await db.run('RESET search_path');
  });
});
