import { type Entry, type JsonText, type RowRef, seq, type Tick } from '@meridian/core';
import { cutTick } from '../log/cut.builder.js';
import { TickForgottenError } from '../log/errors.js';
import { type TestRegion, testRegion } from '../region.builder.js';
import { applying, jsonText, receiving, rowRef, waitingFor, writing } from './apply.builder.js';
import { PgApplyStore } from './pg-apply-store.js';
import { remoteTicks } from './remote-tick.builder.js';

const item = (...key: string[]): RowRef => rowRef('public.item', ...key);
const DONE = { retry: null };
const NOWHERE = new Map<never, string>();

describe('the log as apply reads and writes it', () => {
  let eu: TestRegion;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, qty int)', 'item');
  });
  afterEach(() => eu.close());

  const above = (rows: readonly RowRef[], floor: { readonly [origin: string]: number }): Promise<readonly Entry[]> =>
    applying(eu, (tx) => tx.entriesAbove(rows, Object.fromEntries(Object.entries(floor).map(([o, n]) => [o, seq(n)]))));
  const brief = (entries: readonly Entry[]): unknown[] => entries.map((e) => [e.origin, e.op, e.key, e.seq, e.deps]);
  const cut = async (): Promise<Tick> => (await cutTick(eu))!;

  it('gives what a floor leaves uncovered: local changes with their tick if they are in one, remote ones above it', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1, 1)');
    await cut();
    await eu.user.query('UPDATE item SET qty = 2');
    await cut();
    await receiving(eu, [us.tick([{ op: 'update', key: '["1"]', patch: { qty: '3' } }], { eu: 2 })]);
    await eu.user.query('UPDATE item SET qty = 4; INSERT INTO item VALUES (2)');
    expect(brief(await above([item('1')], { eu: 1 }))).toEqual([
      ['eu', 'update', '["1"]', 2, { eu: 1 }],
      ['us', 'update', '["1"]', 1, { eu: 2, us: 0 }],
      ['eu', 'update', '["1"]', null, null],
    ]);
    expect(brief(await above([item('1')], { eu: 2, us: 1 }))).toEqual([['eu', 'update', '["1"]', null, null]]);
    expect(await above([item('1')], {})).toHaveLength(4);
    expect(await above([item('7')], {})).toEqual([]);
  });

  it('gives the same whether it looks rows up or reads the tail', async () => {
    const us = remoteTicks('us');
    const ids = Array.from({ length: 60 }, (_, i) => `${i}`);
    await eu.user.query('INSERT INTO item SELECT i, 0 FROM generate_series(0, 59) i');
    await cut();
    await receiving(eu, [
      us.tick(ids.slice(0, 5).map((id) => ({ op: 'update', key: `["${id}"]`, patch: { qty: '3' } }))),
    ]);
    await eu.user.query('UPDATE item SET qty = 1 WHERE id < 40 AND id % 2 = 0');
    const tail = await above(
      ids.map((id) => item(id)),
      { eu: 1 },
    );
    const looked: Entry[] = [];
    for (const id of ids) looked.push(...(await above([item(id)], { eu: 1 })));
    const order = (a: Entry, b: Entry): number => (a.origin === b.origin ? a.id - b.id : a.origin < b.origin ? -1 : 1);
    expect(tail).toHaveLength(25);
    expect([...tail].sort(order)).toEqual(looked.sort(order));
  });

  it('a transaction that a tick passed by is above that tick, however low its number', async () => {
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (1)');
    await eu.user.query('INSERT INTO item VALUES (2)');
    await cut();
    await slow.query('COMMIT');
    expect(brief(await above([item('1'), item('2')], { eu: 1 }))).toEqual([['eu', 'insert', '["1"]', null, null]]);
    await cut();
    expect(brief(await above([item('1'), item('2')], { eu: 1 }))).toEqual([['eu', 'insert', '["1"]', 2, { eu: 1 }]]);
    expect(await above([item('1'), item('2')], { eu: 2 })).toEqual([]);
  });

  it('does not guess below a tick whose snapshot is forgotten', async () => {
    await expect(above([item('1')], { eu: 9 })).rejects.toThrow(TickForgottenError);
  });

  it('races are the unseen of a local change in no tick yet, and later those that its tick covers', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1)');
    const [local] = await above([item('1')], {});
    await applying(eu, (tx) =>
      tx.recordRaces([
        { change: local!.id, origin: us.origin, seq: seq(2) },
        { change: local!.id, origin: us.origin, seq: seq(1) },
      ]),
    );
    await applying(eu, (tx) => tx.recordRaces([{ change: local!.id, origin: us.origin, seq: seq(3) }]));
    expect((await above([item('1')], {}))[0]!.unseen).toEqual({ us: 1 });
    await cut();
    expect((await above([item('1')], {}))[0]!.unseen).toBeNull();
    await receiving(eu, [us.tick([])]);
    await eu.user.query('UPDATE item SET qty = 1');
    const second = (await above([item('1')], { eu: 1 }))[0]!.id;
    await applying(eu, (tx) => tx.recordRaces([{ change: second, origin: us.origin, seq: seq(1) }]));
    expect((await cut()).changes[0]!.unseen).toEqual({ us: 1 });
    expect((await above([item('1')], { eu: 1 }))[0]).toMatchObject({ seq: 2, unseen: { us: 1 } });
  });

  it('I5: every delete of a row carries its newest image, and its tick is made again as it was shipped', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1, 1)');
    await eu.user.query('DELETE FROM item');
    const own = await cut();
    const remote = us.tick([{ op: 'delete', key: '["1"]', before: { id: '1', qty: '1' } }]);
    await receiving(eu, [remote]);
    const image = '{"id": "1", "qty": "99"}' as JsonText;
    await applying(eu, (tx) => tx.keepImages([{ ref: item('1'), image }]));
    const entries = await applying(eu, (tx) => tx.entriesOf([item('1')]));
    expect(entries.map((e) => [e.op, e.before])).toEqual([
      ['insert', null],
      ['delete', image],
      ['delete', image],
    ]);
    const all = { ticks: 9, changes: 99 };
    expect(await eu.ticks.readTicks(eu.region, seq(1), all)).toEqual([own]);
    expect(await eu.ticks.readTicks(us.origin, seq(1), all)).toEqual([remote]);
  });

  it('I5: ticks of others are kept to the byte, with ranks, unseen, and texts that JSON escapes', async () => {
    const us = remoteTicks('us');
    const tick = us.tick([
      {
        op: 'insert',
        key: '["1"]',
        patch: { id: '1', qty: null, __proto__: 'x', note: 'tab\t "quote" \\ \u2028 🙂 \n' },
      },
      { op: 'update', key: '["1"]', patch: { qty: '5' }, before: { qty: null }, unseen: { eu: seq(4) } },
      { op: 'update', key: '["1", "ü"]', patch: {}, before: {} },
      { op: 'delete', key: '["2"]', before: { id: '2', qty: '1' } },
    ]);
    await receiving(eu, [tick]);
    expect(await eu.ticks.readTicks(us.origin, seq(1), { ticks: 1, changes: 1 })).toEqual([tick]);
  });

  it('I1: two appliers of one tick: the second is told that it was overtaken, and leaves nothing behind', async () => {
    const us = remoteTicks('us');
    const tick = us.tick([{ op: 'insert', key: '["1"]', patch: { id: '1', qty: '1' } }]);
    const connection = { connectionString: eu.applyUrl };
    const second = new PgApplyStore({ region: eu.region, connection, owner: { connectionString: eu.url } });
    await second.enrolments();
    const [a, b] = [await eu.apply.begin(), await second.begin()];
    expect(await a.advance([tick], NOWHERE)).toEqual(DONE);
    const waits = b.advance([tick], NOWHERE);
    await waitingFor(eu, 'INSERT INTO meridian.applied');
    await a.commit();
    expect(await waits).toMatchObject({ retry: 'overtaken' });
    await b.rollback();
    expect((await eu.apply.heads()).get(us.origin)).toMatchObject({ seq: 1 });
    expect(await receiving(eu, [tick])).toMatchObject({ retry: 'overtaken' });
    expect((await eu.user.query('SELECT FROM meridian.change WHERE seq IS NOT NULL')).rowCount).toBe(0);
    await second.close();
  });

  it('I5: a tick that names another predecessor is refused', async () => {
    const [us, restored] = [remoteTicks('us'), remoteTicks('us')];
    await receiving(eu, [us.tick([])]);
    restored.tick([{ op: 'delete', key: '["9"]', before: {} }]);
    expect(await receiving(eu, [restored.tick([])])).toMatchObject({ retry: 'overtaken' });
    expect(await receiving(eu, [us.tick([]), us.tick([])])).toEqual(DONE);
  });

  it('raises the stamp floor to what was applied, but not by a clock that is hours ahead', async () => {
    const us = remoteTicks('us');
    const ahead = (ms: number): bigint => BigInt(Date.now() + ms) << 16n;
    const next = async (): Promise<bigint> =>
      BigInt((await eu.user.query<{ s: string }>('SELECT meridian.next_stamp() AS s')).rows[0]!.s);
    const soon = ahead(30_000);
    await receiving(eu, [{ ...us.tick([]), stamp: soon as Tick['stamp'] }]);
    expect(await next()).toBeGreaterThan(soon);
    await receiving(eu, [{ ...us.tick([]), stamp: ahead(7_200_000) as Tick['stamp'] }]);
    expect(await next()).toBeLessThan(ahead(61_000));
  });

  it('the missing key: an insert and a tick between the look and the commit are seen by the second look', async () => {
    const us = remoteTicks('us');
    const tick = us.tick([{ op: 'insert', key: '["1"]', patch: { id: '1', qty: '5' } }]);
    const tx = await eu.apply.begin();
    expect(await tx.lock([item('1')])).toEqual(new Map());
    expect(await tx.entriesAbove([item('1')], tick.deps)).toEqual([]);
    await eu.user.query('INSERT INTO item VALUES (1, 9)');
    await eu.user.query('DELETE FROM item');
    await cut();
    expect(await tx.write([{ ...item('1'), kind: 'insert', values: tick.changes[0]!.patch! }])).toEqual(DONE);
    await tx.append([tick]);
    expect(await tx.advance([tick], NOWHERE)).toEqual(DONE);
    await tx.takeCutLock();
    const looked = tx.lookAgain([item('1')], tick.deps);
    const committed = tx.commit();
    expect(await looked).toMatchObject({ retry: 'row appeared' });
    expect(await committed).toMatchObject({ retry: 'row appeared' });
    expect((await eu.user.query('SELECT FROM item')).rowCount).toBe(0);
  });

  it('an insert that waits for the same local insert is taken again', async () => {
    const other = await eu.connect();
    await other.query('BEGIN; INSERT INTO item VALUES (1, 9)');
    const write = writing(eu, [{ ...item('1'), kind: 'insert', values: jsonText({ id: '1', qty: '5' }) }]);
    await waitingFor(eu, 'INSERT INTO public.item');
    await other.query('COMMIT');
    expect(await write).toMatchObject({ retry: 'row appeared' });
  });
});
