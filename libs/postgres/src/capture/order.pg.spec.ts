import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

describe('the log’s order inside one transaction, beside users’ triggers', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
  });
  afterAll(() => db.close());

  const inOrder = async (table: string): Promise<void> =>
    expect(await db.replayed(`public.${table}`)).toEqual(await db.content(`public.${table}`));

  it('puts a statement before the ones that its AFTER ROW trigger makes on the same table', async () => {
    await db.run(`
      CREATE TABLE audited (id int PRIMARY KEY, n int NOT NULL, note text);
      CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.n < 3 THEN UPDATE audited SET n = n + 1, note = 'by trigger' WHERE id = NEW.id; END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER a_row AFTER INSERT OR UPDATE ON audited FOR EACH ROW EXECUTE FUNCTION count_up()`);
    await db.enrol('audited');
    expect(await db.logged(`INSERT INTO audited VALUES (1, 0), (2, 9)`)).toEqual([
      'public.audited i ["1"] {"id":"1","n":"0","note":null}',
      'public.audited i ["2"] {"id":"2","n":"9","note":null}',
      'public.audited u ["1"] {"n":"1","note":"by trigger"} < {"n":"0","note":null}',
      'public.audited u ["1"] {"n":"2"} < {"n":"1"}',
      'public.audited u ["1"] {"n":"3"} < {"n":"2"}',
    ]);
    await db.run(`INSERT INTO audited VALUES (1, 1), (3, 0) ON CONFLICT (id) DO UPDATE SET n = 0`);
    await db.run(
      `BEGIN; UPDATE audited SET n = 1; SAVEPOINT s; UPDATE audited SET n = 0; ROLLBACK TO s; DELETE FROM audited WHERE id = 2; COMMIT`,
    );
    await inOrder('audited');
  });

  it('puts a delete before the insert with which an AFTER ROW trigger brings the row back', async () => {
    await db.run(`
      CREATE TABLE undying (id int PRIMARY KEY, lives int NOT NULL);
      CREATE FUNCTION revive() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.lives > 0 THEN INSERT INTO undying VALUES (OLD.id, OLD.lives - 1); END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER revive AFTER DELETE ON undying FOR EACH ROW EXECUTE FUNCTION revive()`);
    await db.enrol('undying');
    await db.run('INSERT INTO undying VALUES (1, 9), (2, 0)');
    expect(await db.logged('DELETE FROM undying')).toEqual([
      'public.undying d ["1"] < {"id":"1","lives":"9"}',
      'public.undying d ["2"] < {"id":"2","lives":"0"}',
      'public.undying i ["1"] {"id":"1","lives":"8"}',
    ]);
    await db.run(`MERGE INTO undying t USING (VALUES (1, 1), (5, 2)) s(id, what) ON t.id = s.id
      WHEN MATCHED THEN UPDATE SET id = 7 WHEN NOT MATCHED THEN INSERT VALUES (1, 0)`);
    await inOrder('undying');
  });

  it('puts a cascade’s deletes before what a parent’s AFTER ROW trigger writes to the children', async () => {
    await db.run(`
      CREATE TABLE orders (id int PRIMARY KEY);
      CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
      CREATE FUNCTION keep_line() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO lines VALUES (OLD.id * 10, NULL) ON CONFLICT (id) DO UPDATE SET order_id = NULL;
        RETURN NULL;
      END $$;
      -- Named to fire after the cascade, whose trigger is called RI_ConstraintTrigger_…
      CREATE TRIGGER zz_keep AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep_line();
      CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON lines FOR EACH ROW EXECUTE FUNCTION nothing()`);
    await db.enrol('orders');
    await db.enrol('lines');
    await db.run('INSERT INTO orders VALUES (1), (2); INSERT INTO lines VALUES (10, 1), (11, 1), (20, 2), (21, NULL)');
    await db.run('DELETE FROM orders');
    expect(await db.rows('SELECT id FROM lines ORDER BY id')).toEqual([{ id: 10 }, { id: 20 }, { id: 21 }]);
    await inOrder('lines');
    await inOrder('orders');
  });

  it('logs the row as a BEFORE trigger left it', async () => {
    await db.run(`
      CREATE TABLE touched (id int PRIMARY KEY, name text, version int NOT NULL DEFAULT 0);
      CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;
      CREATE TRIGGER touch BEFORE UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION touch()`);
    await db.enrol('touched');
    await db.run(`INSERT INTO touched VALUES (1, 'a')`);
    expect(await db.logged(`UPDATE touched SET name = 'b'`)).toEqual([
      'public.touched u ["1"] {"name":"b","version":"1"} < {"name":"a","version":"0"}',
    ]);
  });

  it('gives the ids of one row in the order of its writes, from sessions that wait for one another', async () => {
    await db.run('CREATE TABLE hot (id int PRIMARY KEY, n int NOT NULL)');
    await db.enrol('hot');
    await db.run('INSERT INTO hot VALUES (1, 0)');
    const sessions = await Promise.all(Array.from({ length: 6 }, () => db.other()));
    await Promise.all(
      sessions.map(async (session) => {
        for (let i = 0; i < 20; i++) await session.query('UPDATE hot SET n = n + 1');
        await session.end();
      }),
    );
    const rows = (await db.rows(`SELECT patch FROM meridian.change WHERE rel = 'public.hot' ORDER BY id`)) as {
      patch: { n: string };
    }[];
    expect(rows.map((r) => Number(r.patch.n))).toEqual(Array.from({ length: 121 }, (_, i) => i));
  });

  it('notices a capture trigger that was dropped or disabled', async () => {
    for (const table of await db.enrolment.captureDrift()) await db.enrolment.renewCapture(table);
    await db.run('ALTER TABLE touched DISABLE TRIGGER meridian_update; DROP TRIGGER meridian_delete ON undying');
    expect(await db.enrolment.captureDrift()).toEqual(['public.touched', 'public.undying']);
    for (const table of ['public.touched', 'public.undying']) await db.enrolment.renewCapture(table as never);
    expect(await db.enrolment.captureDrift()).toEqual([]);
  });
});

describe('the log’s order inside one statement that writes to several tables', () => {
  let db: CapturedDatabase;
  beforeEach(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
  });
  afterEach(() => db.close());

  it('notices AFTER triggers that are added later, and captures anew', async () => {
    await db.run('CREATE TABLE hot (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE other (id int PRIMARY KEY)');
    await db.enrol('hot');
    await db.enrol('other');
    await db.run('INSERT INTO hot VALUES (1, 0)');
    expect(await db.enrolment.captureDrift()).toEqual([]);
    await db.run(`
      CREATE FUNCTION count_hot() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.n < 1000 THEN UPDATE hot SET n = 1000 WHERE id = NEW.id; END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER later AFTER UPDATE ON hot FOR EACH ROW EXECUTE FUNCTION count_hot()`);
    const drifted = await db.enrolment.captureDrift();
    expect(drifted).toEqual(expect.arrayContaining(['public.hot', 'public.other']));
    for (const table of drifted)
      expect(await db.enrolment.renewCapture(table)).toEqual({ differs: null, problems: [] });
    expect(await db.enrolment.captureDrift()).toEqual([]);
    await db.run('UPDATE hot SET n = 1');
    const rows = (await db.rows(
      `SELECT patch FROM meridian.change WHERE rel = 'public.hot' ORDER BY xid DESC, number DESC, id DESC LIMIT 1`,
    )) as { patch: unknown }[];
    expect(rows[0]!.patch).toEqual({ n: '1000' });
  });

  it('puts a statement’s own rows before what the AFTER ROW trigger of another of its tables does to them', async () => {
    await db.run(`
      CREATE TABLE orders (id int PRIMARY KEY, v text, n int NOT NULL DEFAULT 0);
      CREATE TABLE lines (id int PRIMARY KEY, v text);
      CREATE FUNCTION on_line() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.v = 'update' THEN UPDATE orders SET n = n + 1, v = 'counted' WHERE id = NEW.id;
        ELSIF NEW.v = 'delete' THEN DELETE FROM orders WHERE id = NEW.id;
        ELSIF NEW.v = 'move' THEN UPDATE orders SET id = id + 100 WHERE id = NEW.id;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER on_line AFTER INSERT ON lines FOR EACH ROW EXECUTE FUNCTION on_line()`);
    await db.enrol('orders');
    await db.enrol('lines');
    for (const [id, what] of Object.entries({ 1: 'update', 2: 'delete', 3: 'move' })) {
      await db.run(
        `WITH o AS (INSERT INTO orders VALUES (${id}, 'new') RETURNING id) INSERT INTO lines SELECT id, '${what}' FROM o`,
      );
      expect(await db.replayed('public.orders')).toEqual(await db.content('public.orders'));
    }
    await db.run(
      `INSERT INTO orders VALUES (9); WITH o AS (UPDATE orders SET v = 'first' WHERE id = 9 RETURNING id) INSERT INTO lines SELECT id, 'update' FROM o`,
    );
    expect(await db.replayed('public.orders')).toEqual(await db.content('public.orders'));
  });

  it('puts a statement’s new children before the cascade that deletes them again', async () => {
    await db.run(`
      CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE)`);
    await db.enrol('parent');
    await db.enrol('child');
    await db.run('INSERT INTO parent VALUES (1), (2)');
    await db.run('WITH c AS (INSERT INTO child VALUES (1, 1), (2, 2)) DELETE FROM parent WHERE id = 1');
    expect(await db.replayed('public.child')).toEqual(await db.content('public.child'));
    expect(Object.keys(await db.content('public.child'))).toEqual(['["2"]']);
  });
});
