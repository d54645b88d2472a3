import { type RowEffect, rowId } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { remoteTicks } from './remote-tick.builder.js';
import { applying, jsonText, rowRef, waitingFor, writing } from './apply.builder.js';

const item = (...key: string[]) => rowRef('public.item', ...key);
const DONE = { retry: null };

describe("apply's locks and writes", () => {
  let eu: TestRegion;
  beforeAll(async () => {
    eu = await testRegion();
    await eu.enrol(
      'CREATE TABLE item (id int PRIMARY KEY, code text UNIQUE, stock int NOT NULL DEFAULT 0, note text)',
      'item',
      {
        columns: { stock: 'counter' },
      },
    );
    await eu.enrol('CREATE TABLE "Pair" (a text, "k0" numeric, v text, PRIMARY KEY ("k0", a))', 'Pair');
  });
  afterAll(() => eu.close());
  beforeEach(() => eu.user.query('DELETE FROM item; DELETE FROM "Pair"; DELETE FROM meridian.parked'));

  const rows = async (): Promise<unknown[]> =>
    (await eu.user.query<unknown[]>({ text: 'SELECT id, code, stock, note FROM item ORDER BY id', rowMode: 'array' }))
      .rows;

  it('locks what exists, shown or parked, and says where it is', async () => {
    await eu.user.query(`INSERT INTO item VALUES (1), (2); INSERT INTO "Pair" VALUES ('x', 1.50)`);
    await writing(eu, [park('3', { id: '3' })]);
    const pair = rowRef('public."Pair"', '1.5', 'x');
    await applying(eu, async (tx) => {
      const places = await tx.lock([item('2'), item('3'), item('9'), item('1'), pair]);
      expect(places).toEqual(
        new Map([
          [rowId(pair), 'table'],
          [rowId(item('1')), 'table'],
          [rowId(item('2')), 'table'],
          [rowId(item('3')), 'parked'],
        ]),
      );
      await expect(eu.user.query('SELECT FROM item WHERE id = 1 FOR KEY SHARE NOWAIT')).rejects.toThrow(
        /could not obtain lock/,
      );
    });
  });

  it('holds parents so that they cannot be deleted, but can be updated and referred to', async () => {
    await eu.user.query('INSERT INTO item VALUES (1)');
    await applying(eu, async (tx) => {
      expect(await tx.holdParents([item('1'), item('2')])).toEqual(new Set([rowId(item('1'))]));
      await eu.user.query('SELECT FROM item WHERE id = 1 FOR NO KEY UPDATE NOWAIT');
      await expect(eu.user.query('SELECT FROM item WHERE id = 1 FOR UPDATE NOWAIT')).rejects.toThrow(
        /could not obtain lock/,
      );
    });
  });

  it('holds a row that was deleted and inserted anew while it waited for its lock', async () => {
    await eu.user.query('INSERT INTO item VALUES (1)');
    const other = await eu.connect();
    await other.query(`BEGIN; DELETE FROM item WHERE id = 1; INSERT INTO item VALUES (1, 'anew')`);
    const tx = await eu.apply.begin();
    const locked = tx.lock([item('1')]);
    await waitingFor(eu, 'FOR UPDATE');
    await other.query('COMMIT');
    expect(await locked).toEqual(new Map([[rowId(item('1')), 'table']]));
    await expect(eu.user.query('SELECT FROM item WHERE id = 1 FOR UPDATE NOWAIT')).rejects.toThrow(
      /could not obtain lock/,
    );
    await tx.rollback();
  });

  it('gives way to a user who holds a row for long, and names who it is, also a prepared transaction', async () => {
    await eu.user.query('INSERT INTO item VALUES (1)');
    const other = await eu.connect();
    await other.query('BEGIN; UPDATE item SET note = $$held$$');
    const blockers = async (): Promise<unknown> => {
      const tx = await eu.apply.begin();
      const locked = tx.lock([item('1')]);
      await waitingFor(eu, 'FOR UPDATE');
      const found = await eu.apply.blockers();
      expect(await locked).toMatchObject({ retry: 'lock timeout' });
      await tx.rollback();
      return found;
    };
    expect(await blockers()).toMatchObject([{ kind: 'session', state: 'idle in transaction' }]);
    await other.query(`PREPARE TRANSACTION 'gone home'`);
    expect(await blockers()).toMatchObject([{ kind: 'prepared', gid: 'gone home' }]);
    await eu.user.query(`ROLLBACK PREPARED 'gone home'`);
    expect(await eu.apply.blockers()).toEqual([]);
  });

  it('writes one statement per kind and set of columns; counters add, or are set', async () => {
    await eu.user.query(`INSERT INTO item VALUES (1, 'a', 10), (2, 'b', 10), (3, 'c', 10), (4, 'd', 10)`);
    const effects: RowEffect[] = [
      { ...item('1'), kind: 'update', counters: 'add', values: jsonText({ stock: '-3', note: null }) },
      { ...item('2'), kind: 'update', counters: 'set', values: jsonText({ stock: '7' }) },
      { ...item('3'), kind: 'delete' },
      { ...item('4'), kind: 'update', counters: 'add', values: jsonText({ id: '4', note: 'whole row' }) },
      { ...item('5'), kind: 'insert', values: jsonText({ id: '5', code: 'e', stock: '1', note: '"quoted"' }) },
      { ...item('6'), kind: 'update', counters: 'add', values: jsonText({}) },
    ];
    expect(await writing(eu, effects)).toMatchObject({ retry: 'row appeared' });
    await eu.user.query('DELETE FROM item WHERE id > 4');
    await eu.user.query(
      `INSERT INTO item VALUES (1, 'a', 10), (2, 'b', 10), (3, 'c', 10), (4, 'd', 10)
       ON CONFLICT (id) DO UPDATE SET code = excluded.code, stock = excluded.stock, note = NULL`,
    );
    expect(await writing(eu, effects.slice(0, 5))).toEqual(DONE);
    expect(await rows()).toEqual([
      [1, 'a', 7, null],
      [2, 'b', 7, null],
      [4, 'd', 10, 'whole row'],
      [5, 'e', 1, '"quoted"'],
    ]);
  });

  it('a unique key moves from row to row in one batch: freed first, then taken', async () => {
    await eu.user.query(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`);
    const swap: RowEffect[] = [
      { ...item('1'), kind: 'replace', values: jsonText({ id: '1', code: 'b', stock: '0', note: null }) },
      { ...item('2'), kind: 'replace', values: jsonText({ id: '2', code: 'a', stock: '0', note: null }) },
    ];
    expect(await writing(eu, swap)).toEqual(DONE);
    expect(await rows()).toEqual([
      [1, 'b', 0, null],
      [2, 'a', 0, null],
    ]);
  });

  it("names the primary key in inserts, so that no other unique key's conflict is swallowed", async () => {
    await eu.user.query(`INSERT INTO item VALUES (1, 'a')`);
    const insert = (id: string, code: string): RowEffect => ({
      ...item(id),
      kind: 'insert',
      values: jsonText({ id, code, stock: '0', note: null }),
    });
    expect(await writing(eu, [insert('2', 'a')])).toMatchObject({ retry: 'unique violation' });
    expect(await writing(eu, [insert('1', 'z')])).toMatchObject({ retry: 'row appeared' });
    expect(await rows()).toEqual([[1, 'a', 0, null]]);
  });

  it('parks rows out of the table, takes their changes there, and shows them again', async () => {
    await eu.user.query(`INSERT INTO item VALUES (1, 'a')`);
    await writing(eu, [park('1', { id: '1', code: 'a', stock: '0', note: null })]);
    await writing(eu, [park('1', { id: '1', code: 'a', stock: '5', note: 'x' })]);
    expect(await rows()).toEqual([]);
    const read = await applying(eu, (tx) => tx.read([item('1')]));
    expect([...read.values()]).toEqual([
      { ref: item('1'), place: 'parked', values: { id: '1', code: 'a', stock: '5', note: 'x' } },
    ]);
    const shown = jsonText({ id: '1', code: 'a', stock: '5', note: 'x' });
    await writing(eu, [
      { ...item('1'), kind: 'unpark' },
      { ...item('1'), kind: 'insert', values: shown },
    ]);
    expect(await rows()).toEqual([[1, 'a', 5, 'x']]);
    expect(await applying(eu, (tx) => tx.parked())).toEqual([]);
  });

  it('a row in the table hides a parked entry of its key, and the sweep removes the entry', async () => {
    await writing(eu, [park('1', { id: '1', code: 'a' })]);
    await eu.user.query(`INSERT INTO item VALUES (1, 'local')`);
    const read = await applying(eu, (tx) => tx.read([item('1')]));
    expect([...read.values()][0]).toMatchObject({ place: 'table', values: { code: 'local' } });
    expect(await applying(eu, (tx) => tx.parked())).toEqual([]);
    expect(await applying(eu, (tx) => tx.removeOvertaken())).toEqual([item('1')]);
    expect((await eu.user.query('SELECT FROM meridian.parked')).rowCount).toBe(0);
  });

  it('I7: a counter that runs over its type does not stop the stream: taken again, its bound is shown', async () => {
    await eu.user.query('INSERT INTO item VALUES (1, NULL, 2147483647), (2, NULL, 0)');
    const more: RowEffect[] = [{ ...item('1'), kind: 'update', counters: 'add', values: jsonText({ stock: '5' }) }];
    expect(await writing(eu, more)).toMatchObject({ retry: 'counter overflow' });
    expect(await writing(eu, more)).toEqual(DONE);
    // From then on it is known that the table has one, and nothing has to be taken again.
    const beyond: RowEffect[] = [
      { ...item('2'), kind: 'update', counters: 'set', values: jsonText({ stock: '-3000000000' }) },
    ];
    expect(await writing(eu, beyond)).toEqual(DONE);
    expect(await rows()).toEqual([
      [1, null, 2147483647, null],
      [2, null, -2147483648, null],
    ]);
  });

  it('a table without the column refuses the change, and one that is not enrolled any; the refusal says what to do', async () => {
    const missing: RowEffect[] = [{ ...item('1'), kind: 'insert', values: jsonText({ id: '1', colour: 'red' }) }];
    expect(await writing(eu, missing)).toMatchObject({
      retry: 'table refused',
      detail: expect.stringContaining('sets "colour", which the table here does not have: alter it') as string,
    });
    expect(await writing(eu, [{ ...rowRef('public.nowhere', '1'), kind: 'delete' }])).toMatchObject({
      retry: 'table refused',
      detail: expect.stringContaining('the table is not enrolled here') as string,
    });
  });

  it('a table that is gone refuses its changes when its rows are to be held', async () => {
    await eu.enrol('CREATE TABLE gone (id int PRIMARY KEY)', 'gone');
    await eu.user.query('DROP TABLE gone');
    const held = await applying(eu, (tx) => tx.hold([rowRef('public.gone', '1')], {}));
    expect(held).toMatchObject({ retry: 'table refused', table: 'public.gone' });
  });

  it('a refusal and an overtaken tick are told apart, whatever was asked for behind or before', async () => {
    await eu.user.query('ALTER TABLE item ADD CONSTRAINT calm CHECK (stock < 5)');
    const tick = remoteTicks('us').tick([]);
    const values = jsonText({ id: '1', code: 'a', stock: '9', note: null });
    const tx = await eu.apply.begin();
    const refused = tx.write([{ ...item('1'), kind: 'insert', values }]);
    const appended = tx.append([tick]);
    const advanced = tx.advance([tick], new Map());
    await Promise.allSettled([refused, appended, advanced]);
    expect(await refused).toMatchObject({ retry: 'table refused', table: 'public.item' });
    await tx.rollback();
    await applying(eu, (other) => other.append([tick]).then(() => other.advance([tick], new Map())));
    const late = await eu.apply.begin();
    await late.append([tick]);
    await expect(late.advance([tick], new Map())).rejects.toMatchObject({ because: { retry: 'overtaken' } });
    await late.rollback();
    expect(await eu.apply.waitingTables()).toEqual(new Set());
    await eu.user.query('ALTER TABLE item DROP CONSTRAINT calm');
  });

  it('I4: what fails before anything of it is sent keeps back the COMMIT that was asked for with it', async () => {
    const tick = remoteTicks('ap').tick([]);
    const tx = await eu.apply.begin();
    expect(await tx.lock([item('1')])).toEqual(new Map());
    const values = jsonText({ id: '1', code: 'a', stock: '1', colour: 'red' });
    const written = tx.write([{ ...item('1'), kind: 'insert', values }]);
    const advanced = tx.advance([tick], new Map());
    const committed = tx.commit();
    await Promise.allSettled([written, advanced, committed]);
    expect(await written).toMatchObject({ retry: 'table refused', table: 'public.item' });
    await expect(committed).rejects.toThrow('colour');
    expect((await eu.apply.heads()).get(tick.origin)).toBeUndefined();
  });

  it('is not captured, and fires no trigger of the user', async () => {
    await eu.user
      .query(`CREATE TABLE fired (id int); CREATE OR REPLACE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO fired VALUES (new.id); RETURN new; END $$;
      CREATE TRIGGER fire BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION fire()`);
    const logged = async (): Promise<unknown> => (await eu.user.query('SELECT max(id) FROM meridian.change')).rows[0];
    const before = await logged();
    await writing(eu, [
      { ...item('1'), kind: 'insert', values: jsonText({ id: '1', code: 'a', stock: '0', note: null }) },
    ]);
    expect((await eu.user.query('SELECT FROM fired')).rowCount).toBe(0);
    expect(await logged()).toEqual(before);
    await eu.user.query('DROP TRIGGER fire ON item');
  });
});

function park(id: string, values: object): RowEffect {
  return {
    ...rowRef('public.item', id),
    kind: 'park',
    values: jsonText(values),
    claims: jsonText({ item_code_key: ['12', 'us', '3'] }),
    because: { kind: 'unique_key', constraint: 'item_code_key', other: rowRef('public.item', '0') },
  };
}
