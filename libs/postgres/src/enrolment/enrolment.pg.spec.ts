import type { TableName } from '@meridian/core';
import { templateDatabase } from '@meridian/testkit';
import type { EnrolmentRefused } from '../catalog/refusal.js';
import { CapturedDatabase } from '../testing/captured-database.js';
import { BUCKETS } from './digest.js';
import { Enrolment } from './enrolment.js';

const items = { schema: 'public', name: 'items' };

describe('enrolment', () => {
  let us: CapturedDatabase;
  let eu: CapturedDatabase;
  beforeAll(async () => {
    [us, eu] = await Promise.all([
      templateDatabase().then((db) => CapturedDatabase.open(db, 'us')),
      templateDatabase().then((db) => CapturedDatabase.open(db, 'eu')),
    ]);
  });
  beforeEach(async () => {
    await us.run(`CREATE TABLE items (id int PRIMARY KEY, name text, price numeric, at timestamptz)`);
    // The same columns in another order.
    await eu.run(`CREATE TABLE items (at timestamptz, price numeric, id int PRIMARY KEY, name text)`);
  });
  afterEach(async () => {
    for (const db of [us, eu]) {
      for (const { name } of await db.enrolment.list()) if (name.startsWith('public.')) await db.enrolment.remove(name);
      await db.run('DELETE FROM meridian.policy_epoch');
      await db.run('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    }
  });
  afterAll(() => Promise.all([us.close(), eu.close()]));

  it('holds the table’s writers back until it is committed, and captures them from then on', async () => {
    const prepared = await us.enrolment.prepare(items, {});
    expect(prepared).toMatchObject({ change: 'new', spec: { name: 'public.items', epoch: 1 }, content: { rows: 0 } });
    const writing = us.run('INSERT INTO items VALUES (1)');
    const watcher = await us.other();
    const waiting = `SELECT FROM pg_locks WHERE relation = 'items'::regclass AND NOT granted`;
    while ((await watcher.query(waiting)).rowCount === 0);
    await watcher.end();
    await prepared.commit();
    await writing;
    expect(await us.rows(`SELECT pk FROM meridian.change WHERE rel = 'public.items'`)).toEqual([{ pk: ['1'] }]);
    expect(await us.enrolment.get('public.items' as TableName)).toMatchObject({
      name: 'public.items',
      state: 'active',
      policy: { granularity: 'column' },
    });
  }, 20_000);

  it('keeps the policies of its epochs, and none of an enrolment that has ended', async () => {
    const revisions = () => us.enrolment.revisions('public.items' as TableName);
    await us.enrol('items', { policy: 'lww' });
    await us.enrol('items', { columns: { price: 'max' } });
    expect(await revisions()).toMatchObject([
      { epoch: 2, policy: { policy: 'hlc', columns: { price: 'max' } } },
      { epoch: 1, policy: { policy: 'lww' } },
    ]);
    await us.enrolment.remove('public.items' as TableName);
    await us.enrol('items');
    expect((await revisions()).map((r) => r.policy)).toMatchObject([{ policy: 'hlc', columns: {} }]);
  });

  it('leaves nothing behind when it is rolled back, or was held too long', async () => {
    await (await us.enrolment.prepare(items, {})).rollback();
    const { region, applyRole } = (
      await us.rows(`SELECT name AS region, apply_role AS "applyRole" FROM meridian.region`)
    )[0] as never;
    const impatient = new Enrolment({ url: us.db.url, region, applyRole, replicaRole: true, heldMs: 50 });
    const held = await impatient.prepare(items, {});
    // Waits for the table's lock, which the held enrolment gives up by itself.
    await us.run('INSERT INTO items VALUES (1)');
    expect(held.open).toBe(false);
    await expect(held.commit()).rejects.toThrow(/held too long/);
    expect(await us.enrolment.get('public.items' as TableName)).toBeNull();
    expect(await us.rows(`SELECT tgname FROM pg_trigger WHERE tgrelid = 'items'::regclass`)).toEqual([]);
  });

  it('gives equal digests for equal rows, whatever their order and the order of columns; and different ones otherwise', async () => {
    await us.run(
      `INSERT INTO items SELECT g, 'n' || g, g + 0.50, '2026-01-01 00:00+00' FROM generate_series(1, 500) g`,
    );
    await eu.run(
      `SET TimeZone = 'Asia/Tokyo'; INSERT INTO items (id, name, price, at) SELECT g, 'n' || g, g + 0.50, '2026-01-01 00:00+00' FROM generate_series(500, 1, -1) g`,
    );
    const [a, b] = await Promise.all([us.enrolment.prepare(items, {}), eu.enrolment.prepare(items, {})]);
    expect(a.content).toEqual(b.content);
    expect(a.spec.signature).toBe(b.spec.signature);
    await Promise.all([a.rollback(), b.rollback()]);
    await eu.run(`UPDATE items SET price = price + 0.000 WHERE id = 7; UPDATE items SET name = NULL WHERE id = 8`);
    const [c, d] = await Promise.all([us.enrolment.prepare(items, {}), eu.enrolment.prepare(items, {})]);
    const differing = [...Array(BUCKETS).keys()].filter((i) => c.content.buckets[i] !== d.content.buckets[i]);
    expect(differing.length).toBeGreaterThan(0);
    expect(differing.length).toBeLessThanOrEqual(2);
    const [ours, theirs] = await Promise.all([c.rowsForExamples(differing), d.rowsForExamples(differing)]);
    const known = new Map(theirs.map((r) => [r.key, r.hash]));
    expect(ours.filter((r) => known.get(r.key) !== r.hash).map((r) => r.key)).toEqual(['["7"]', '["8"]']);
    await Promise.all([c.rollback(), d.rollback()]);
  });

  it('brings a region to another one’s rows without capturing that, and without its triggers', async () => {
    await us.run(`INSERT INTO items SELECT g, E'tab\\t' || g, 'NaN', 'infinity' FROM generate_series(1, 5000) g`);
    await eu.run(`
      INSERT INTO items (id, name) VALUES (1, 'other'), (9999, 'extra');
      CREATE TABLE refs (item int REFERENCES items ON DELETE CASCADE); INSERT INTO refs VALUES (1);
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''fired''; END';
      CREATE TRIGGER fail BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION fail()`);
    const [from, to] = await Promise.all([us.enrolment.prepare(items, {}), eu.enrolment.prepare(items, {})]);
    expect(await to.replaceRows(from.rows())).toEqual(from.content);
    await Promise.all([from.commit(), to.commit()]);
    expect(await eu.rows('SELECT count(*)::int AS n, (SELECT count(*)::int FROM refs) AS refs FROM items')).toEqual([
      { n: 5000, refs: 1 },
    ]);
    expect(await eu.rows("SELECT FROM meridian.change WHERE rel = 'public.items'")).toEqual([]);
    expect(await eu.logged(`DELETE FROM items WHERE id = 2`)).toHaveLength(1);
    expect(await eu.enrolment.captureDrift()).toEqual([]);
  }, 20_000);

  it('changes nothing when the same document comes again, and counts an epoch up when another does', async () => {
    await us.enrol('items', { policy: 'lww' });
    const again = await us.enrolment.prepare(items, { policy: 'lww', granularity: 'column' });
    expect(again).toMatchObject({ change: 'none', spec: { epoch: 1 } });
    await again.rollback();
    await us.enrol('items', { policy: 'lww', delete: 'delete-wins' });
    expect((await us.enrolment.get('public.items' as TableName))!.spec).toMatchObject({
      epoch: 2,
      delete: 'delete-wins',
    });
    await us.run('INSERT INTO items VALUES (1)');
    expect(
      await us.rows(`SELECT epoch FROM meridian.change WHERE rel = 'public.items' ORDER BY id DESC LIMIT 1`),
    ).toEqual([{ epoch: 2 }]);
  });

  it('says whether policy and rules are agreed on, and refuses the epoch that was agreed on without them', async () => {
    expect(await us.enrolment.standing(items, {})).toBeNull();
    await (await us.enrolment.prepare(items, {})).commit();
    const agreed = { name: 'public.items', present: 1, ended: 0, agreed: true };
    expect(await us.enrolment.standing(items, {})).toEqual(agreed);
    expect(await us.enrolment.standing(items, { delete: 'delete-wins' })).toEqual({ ...agreed, agreed: false });
    await us.run('ALTER TABLE items ADD UNIQUE (name)');
    expect(await us.enrolment.standing(items, {})).toEqual({ ...agreed, agreed: false });
    await expect(us.enrolment.prepare(items, {}, { epoch: 1, ended: 0 })).rejects.toMatchObject({
      problems: [{ code: 'enrolled_meanwhile' }],
    });
    const next = await us.enrolment.prepare(items, {}, { epoch: 2, ended: 0 });
    expect(next).toMatchObject({ change: 'policy', spec: { epoch: 2 } });
    await next.commit();
    await us.enrolment.remove('public.items' as TableName);
    expect(await us.enrolment.standing(items, {})).toEqual({ ...agreed, present: null, ended: 2, agreed: false });
  });

  it('touches a parent only once it is enrolled, under the parent’s epoch', async () => {
    // A circle: one of the two has to be the first.
    await us.run(`
      CREATE TABLE child (id int PRIMARY KEY, item int REFERENCES items); INSERT INTO items VALUES (1);
      ALTER TABLE items ADD child int REFERENCES child`);
    await us.enrol('child');
    expect((await us.enrolment.get('public.child' as TableName))!.spec.foreignKeys).toEqual([]);
    expect(await us.logged('INSERT INTO child VALUES (1, 1)')).toHaveLength(1);
    await us.enrol('items');
    expect((await us.enrolment.get('public.child' as TableName))!.spec.foreignKeys).toHaveLength(1);
    await us.enrol('items', { policy: 'lww' });
    expect(await us.logged('INSERT INTO child VALUES (2, 1)')).toHaveLength(2);
    expect(await us.rows(`SELECT rel, epoch FROM meridian.change ORDER BY id DESC LIMIT 2`)).toEqual([
      { rel: 'public.items', epoch: 2 },
      { rel: 'public.child', epoch: 1 },
    ]);
    await us.run('CREATE TABLE leaf (id int PRIMARY KEY, item int REFERENCES items)');
    await us.enrol('leaf');
    expect(await us.logged('INSERT INTO leaf VALUES (1, 1)')).toHaveLength(2);
    await us.enrolment.remove('public.items' as TableName);
    expect(await us.logged('INSERT INTO child VALUES (3, 1)')).toHaveLength(1);
    expect(await us.logged('INSERT INTO leaf VALUES (2, 1)')).toHaveLength(1);
    // Whose parent is not enrolled any more, and which is told of until it is.
    expect(await us.enrolment.captureDrift()).toEqual(['public.leaf']);
    expect(await us.enrolment.renewCapture('public.leaf' as TableName)).toMatchObject({
      differs: null,
      problems: [{ code: 'parent_not_enrolled' }],
    });
  });

  const refusal = async (name: string): Promise<unknown> =>
    us.enrolment
      .prepare({ schema: 'public', name }, {})
      .catch((error: unknown) => (error as EnrolmentRefused).problems);

  it('refuses a table whose parent is not enrolled, but for itself and those that refer back to it', async () => {
    await us.run(`
      CREATE TABLE boss (id int PRIMARY KEY, boss int REFERENCES boss);
      CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
      CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b, item int REFERENCES items); ALTER TABLE a ADD c int REFERENCES c`);
    await us.enrol('boss');
    expect(await refusal('c')).toEqual([
      {
        code: 'parent_not_enrolled',
        message: expect.stringContaining('"c_item_fkey" refers to public.items, which is not enrolled') as string,
        cure: 'enrol public.items first, or drop the foreign key in every region',
      },
    ]);
    await us.enrol('items');
    for (const name of ['c', 'b', 'a']) await us.enrol(name);
    expect((await us.enrolment.get('public.c' as TableName))!.spec.foreignKeys).toHaveLength(2);
  });

  it('notices a foreign key that comes later, to and from the table', async () => {
    await us.run(
      'CREATE TABLE parents (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE others (id int PRIMARY KEY)',
    );
    await us.enrol('parents');
    await us.enrol('items');
    const drift = async (): Promise<unknown> => {
      const tables = await us.enrolment.captureDrift();
      return Promise.all(
        tables.map(async (name) => {
          const { differs, problems } = await us.enrolment.renewCapture(name);
          return [
            name,
            differs?.match(/FOREIGN KEY \(\w+\)|foreign key "\w+"/)?.[0] ?? differs,
            problems.map((p) => p.code),
          ];
        }),
      );
    };
    await us.run('ALTER TABLE items ADD parent int REFERENCES parents');
    expect(await drift()).toEqual([
      ['public.items', 'FOREIGN KEY (parent)', []],
      ['public.parents', null, []],
    ]);
    await us.enrol('items');
    expect((await us.enrolment.get('public.items' as TableName))!.spec.foreignKeys).toHaveLength(1);
    expect(await drift()).toEqual([]);
    await us.run('ALTER TABLE items ADD other int REFERENCES others');
    expect(await drift()).toEqual([['public.items', null, ['parent_not_enrolled']]]);
    await us.run('ALTER TABLE items DROP other; ALTER TABLE items ADD code text REFERENCES parents (code)');
    expect(await drift()).toEqual(expect.arrayContaining([['public.items', 'foreign key "items_code_fkey"', []]]));
    expect(await refusal('items')).toMatchObject([
      { code: 'unsupported_foreign_key', cure: 'let it refer to (id), or drop it, in every region' },
    ]);
    await us.run('ALTER TABLE items DROP code');
    await drift();
    // Of a table that is not enrolled: apply may look at what refers, and at no more.
    await us.run('CREATE TABLE audit (id int PRIMARY KEY, item int REFERENCES items, secret text)');
    expect(await drift()).toEqual([['public.items', null, []]]);
    expect(
      await us.rows(`SELECT has_column_privilege('${us.applyRole}', 'audit', 'item', 'SELECT') AS item,
                            has_any_column_privilege('${us.applyRole}', 'audit', 'UPDATE') AS writes,
                            has_column_privilege('${us.applyRole}', 'audit', 'secret', 'SELECT') AS secret`),
    ).toEqual([{ item: true, writes: false, secret: false }]);
    expect(await us.enrolment.captureDrift()).toEqual([]);
  });

  it('stops capturing a table that is removed, and leaves its rows', async () => {
    await us.enrol('items');
    await us.run('INSERT INTO items VALUES (1)');
    await us.enrolment.remove('public.items' as TableName);
    expect(await us.logged("UPDATE items SET name = 'x'")).toEqual([]);
    expect(await us.rows('SELECT id FROM items')).toEqual([{ id: 1 }]);
    expect(
      await us.rows(`SELECT FROM pg_proc WHERE proname LIKE 'capture\\_%' AND prosrc LIKE '%public.items%'`),
    ).toEqual([]);
  });

  it('carries the column’s time as the wall of lww, whether the update changed it or not', async () => {
    await us.run(`CREATE TABLE notes (id int PRIMARY KEY, body text, title text, at timestamptz)`);
    await us.enrol('notes', { columns: { body: { policy: 'lww', column: 'at' } } });
    await us.run(
      `INSERT INTO notes VALUES (1, 'b', 't', '2026-01-01 00:00:00.000001+00'), (2, 'b', 't', NULL), (3, 'b', 't', 'infinity')`,
    );
    await us.run(`UPDATE notes SET body = 'c', title = 'u' WHERE id = 1`);
    const ranks = await us.rows(`SELECT id, stamp, ranks FROM meridian.change WHERE rel = 'public.notes' ORDER BY id`);
    const wall = ['1767225600000001', '-9223372036854775808', '9223372036854775807', '1767225600000001'];
    expect(ranks).toEqual(
      wall.map((w, i) => {
        const { id, stamp } = ranks[i] as { id: string; stamp: string };
        return { id, stamp, ranks: { body: [stamp, w, id] } };
      }),
    );
    await us.enrol('notes', { policy: { policy: 'lww', column: 'at' } });
    await us.run(`UPDATE notes SET body = 'd' WHERE id = 1; DELETE FROM notes WHERE id = 1`);
    expect(
      await us.rows(`SELECT wall, ranks FROM meridian.change WHERE rel = 'public.notes' ORDER BY id DESC LIMIT 2`),
    ).toEqual([
      { wall: '1767225600000001', ranks: null },
      { wall: '1767225600000001', ranks: null },
    ]);
  });

  it('of a counter that is gone, or whose table is not enrolled, nothing is kept', async () => {
    await us.run('CREATE TABLE counted (id int PRIMARY KEY, n int NOT NULL, m int NOT NULL)');
    await us.enrol('counted', { columns: { n: 'counter', m: 'counter' } });
    await us.run(
      `INSERT INTO meridian.counter_excess SELECT 'public.counted', '["1"]', c, 5 FROM unnest('{n,m}'::text[]) c`,
    );
    const left = () => us.rows('SELECT column_name FROM meridian.counter_excess');
    await us.run('ALTER TABLE counted DROP COLUMN m');
    await us.enrol('counted', { columns: { n: 'counter' } });
    expect(await left()).toEqual([{ column_name: 'n' }]);
    await us.enrolment.remove('public.counted' as TableName);
    expect(await left()).toEqual([]);
  });

  it('writes the registers of a group and of a row whole', async () => {
    await us.enrol('items', { groups: [['name', 'price']] });
    await us.run(`INSERT INTO items VALUES (1, 'a', 1.50)`);
    expect(await us.logged(`UPDATE items SET name = 'b'`)).toEqual([
      'public.items u ["1"] {"name":"b","price":"1.50"} < {"name":"a","price":"1.50"}',
    ]);
    await us.enrol('items', { granularity: 'row' });
    expect(await us.logged(`UPDATE items SET name = 'c'`)).toEqual([
      'public.items u ["1"] {"name":"c","price":"1.50","at":null} < {"name":"b","price":"1.50","at":null}',
    ]);
  });
});
