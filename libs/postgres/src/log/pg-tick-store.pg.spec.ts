import { type ChangeId, regionId, seq, type TableName, type Tick } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { remoteTicks } from '../apply/remote-tick.builder.js';
import { cutTick, keysOf } from './cut.builder.js';
import { TickContentError, TickOvertakenError } from './errors.js';

const ALL = { ticks: 1_000, changes: 100_000 };

describe('ticks cut from the log of PostgreSQL', () => {
  let eu: TestRegion;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, qty int, note text)', 'item', { columns: {} });
  });
  afterEach(() => eu.close());

  it('I4: a transaction is in one tick, whole, and an idle region cuts none', async () => {
    expect(await cutTick(eu)).toBeNull();
    await eu.user.query('BEGIN; INSERT INTO item VALUES (1, 1), (2, 2); UPDATE item SET qty = 3 WHERE id = 1');
    expect(await cutTick(eu)).toBeNull();
    await eu.user.query('COMMIT');
    const tick = await cutTick(eu);
    expect(keysOf(tick)).toEqual(['["1"]', '["2"]']);
    expect(tick).toMatchObject({ origin: 'eu', seq: 1, deps: { eu: 0 }, previous: '' });
    expect(await cutTick(eu)).toBeNull();
  });

  it('ships a transaction that commits late once, though its number is below those shipped before', async () => {
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (1)');
    await eu.user.query('INSERT INTO item VALUES (2)');
    expect(keysOf(await cutTick(eu))).toEqual(['["2"]']);
    await eu.user.query('INSERT INTO item VALUES (3)');
    expect(keysOf(await cutTick(eu))).toEqual(['["3"]']);
    await slow.query('COMMIT');
    expect(keysOf(await cutTick(eu))).toEqual(['["1"]']);
    expect(await cutTick(eu)).toBeNull();
  });

  it('tells cheaply that nothing has been committed since the last cut', async () => {
    // Transactions are numbered for the whole server, on which other tests run.
    const still = async (): Promise<void> => {
      do await cutTick(eu);
      while (await eu.ticks.hasMoved());
    };
    await still();
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (1)');
    await still();
    await slow.query('COMMIT');
    expect(await eu.ticks.hasMoved()).toBe(true);
    expect(keysOf(await cutTick(eu))).toEqual(['["1"]']);
    await eu.user.query(`BEGIN; INSERT INTO item VALUES (2); PREPARE TRANSACTION 'later'`);
    await still();
    await eu.user.query(`COMMIT PREPARED 'later'`);
    expect(await eu.ticks.hasMoved()).toBe(true);
  });

  it('opens no cut for what apply has written, or anybody who writes to no replicated table', async () => {
    await eu.user.query('CREATE TABLE plain (id int)');
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (3)');
    await cutTick(eu);
    await eu.user.query('INSERT INTO plain VALUES (1)');
    for (let i = 0; i < 3; i++) expect(await eu.ticks.hasMoved()).toBe(false);
    await slow.query('COMMIT');
    expect(await eu.ticks.hasMoved()).toBe(true);
    expect(keysOf(await cutTick(eu))).toEqual(['["3"]']);
  });

  it('knows the counters of a table enrolled a moment ago, whose first changes are in the same snapshot', async () => {
    await eu.enrol('CREATE TABLE stock (id int PRIMARY KEY, left_over int NOT NULL)', 'stock', {
      columns: { left_over: 'counter' },
    });
    const open = await eu.ticks.openCut();
    expect([...open.folding({ table: 'public.stock' as TableName, epoch: 1 }).counters]).toEqual(['left_over']);
    expect([...open.folding({ table: 'public.item' as TableName, epoch: 1 }).counters]).toEqual([]);
    await open.abandon();
  });

  it('waits for no gap: rolled back transactions and savepoints leave ids that nobody wrote', async () => {
    await eu.user.query('BEGIN; INSERT INTO item VALUES (1); ROLLBACK');
    await eu.user.query('BEGIN; INSERT INTO item VALUES (2); SAVEPOINT s; INSERT INTO item VALUES (3); ROLLBACK TO s');
    await eu.user.query('SAVEPOINT s2; INSERT INTO item VALUES (4); RELEASE s2; COMMIT');
    expect(keysOf(await cutTick(eu))).toEqual(['["2"]', '["4"]']);
  });

  it('a prepared and forgotten transaction keeps back only its own changes', async () => {
    await eu.user.query(`BEGIN; INSERT INTO item VALUES (1); PREPARE TRANSACTION 'forgotten'`);
    await eu.user.query('INSERT INTO item VALUES (2)');
    expect(keysOf(await cutTick(eu))).toEqual(['["2"]']);
    await eu.user.query(`COMMIT PREPARED 'forgotten'`);
    expect(keysOf(await cutTick(eu))).toEqual(['["1"]']);
  });

  it('I5: ticks made again are the same to the byte, whatever was open when they were cut', async () => {
    const ticks: Tick[] = [];
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (100)');
    for (let i = 1; i <= 6; i++) {
      await eu.user.query(`INSERT INTO item VALUES (${i}, 0); UPDATE item SET note = 'ü' || id WHERE id = ${i}`);
      if (i === 4) await slow.query('COMMIT');
      ticks.push((await cutTick(eu))!);
    }
    await eu.user.query('DELETE FROM item');
    ticks.push((await cutTick(eu))!);
    expect(await eu.ticks.readTicks(eu.region, seq(1), ALL)).toEqual(ticks);
    expect(await eu.ticks.readTicks(eu.region, seq(3), { ticks: 2, changes: 100 })).toEqual(ticks.slice(2, 4));
    expect(await eu.ticks.readTicks(eu.region, seq(3), { ticks: 9, changes: 1 })).toEqual(ticks.slice(2, 3));
    expect(await eu.ticks.readTicks(eu.region, seq(8), ALL)).toEqual([]);
  });

  it('I5: a tick that the log no longer makes is not served', async () => {
    await eu.user.query('INSERT INTO item VALUES (1)');
    await cutTick(eu);
    await eu.user.query(`UPDATE meridian.change SET actor = 'somebody else'`);
    await expect(eu.ticks.readTicks(eu.region, seq(1), ALL)).rejects.toThrow(TickContentError);
  });

  it('ships as unseen only what its deps cover, so a race recorded after the cut changes nothing', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1)');
    const [first] = (await eu.user.query<{ id: string }>('SELECT id FROM meridian.change')).rows;
    const race = async (n: number): Promise<void> => {
      const tick = us.tick([]);
      const tx = await eu.apply.begin();
      await tx.recordRaces([{ change: Number(first!.id) as ChangeId, origin: us.origin, seq: seq(n) }]);
      expect(await tx.advance([tick], new Map())).toEqual({ retry: null });
      await tx.commit();
    };
    await race(1);
    const cut = await cutTick(eu);
    expect(cut!.changes[0]!.unseen).toEqual({ us: 1 });
    expect(cut!.deps).toEqual({ eu: 0, us: 1 });
    await eu.user.query('UPDATE item SET qty = 2');
    const [, second] = (await eu.user.query<{ id: string }>('SELECT id FROM meridian.change ORDER BY id')).rows;
    const open = await eu.ticks.openCut();
    const changes = await open.changes();
    // Apply may commit between the snapshot and the tick's row when all its rows existed: then it took no cut lock.
    first!.id = second!.id;
    await race(2);
    expect(changes[0]!.unseen).toBeNull();
    await open.abandon();
  });

  it('I5: ships a write to a table with waiting changes as one that has not seen them, and makes that tick again', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1, 1)');
    await cutTick(eu);
    const tick = us.tick([{ op: 'update', key: '["1"]', patch: { qty: '9' } }], { eu: 1 });
    const tx = await eu.apply.begin();
    await tx.append([tick]);
    await tx.keepWaiting(tick.changes, new Map([[tick.changes[0]!.table, 'a test']]));
    expect(await tx.advance([tick], new Map())).toEqual({ retry: null });
    await tx.commit();
    await eu.user.query('UPDATE item SET qty = 2 WHERE id = 1');
    const cut = (await cutTick(eu))!;
    expect(cut.changes[0]!.unseen).toEqual({ us: 1 });
    expect(await eu.ticks.readTicks(eu.region, cut.seq, ALL)).toEqual([cut]);
  });

  it('cuts under a lock that apply takes for its last look, so its snapshot has all of an apply or comes before its look', async () => {
    const us = remoteTicks('us');
    const tx = await eu.apply.begin();
    await tx.takeCutLock();
    let opened = false;
    const cut = eu.ticks.openCut().then((c) => ((opened = true), c));
    await waiting(eu, 'pg_advisory_lock');
    expect(opened).toBe(false);
    await tx.advance([us.tick([])], new Map());
    await tx.commit();
    const open = await cut;
    expect(open.header.deps).toEqual({ eu: 0, us: 1 });
    await open.abandon();
  });

  it('I5: two relays cannot both write one seq', async () => {
    await eu.user.query('INSERT INTO item VALUES (1)');
    const open = await eu.ticks.openCut();
    await eu.user.query(`INSERT INTO meridian.tick VALUES ('eu', 1, pg_current_snapshot(), '{}', 0, 0, '', 'x', 0)`);
    const tick: Tick = { ...open.header, changes: [], digest: 'y' };
    await expect(open.commit(tick)).rejects.toThrow(TickOvertakenError);
    const next = await eu.ticks.openCut();
    expect(next.header).toMatchObject({ seq: 2, previous: 'x' });
    await next.abandon();
  });

  it('orders the changes of one transaction by statement where a trigger of the user writes to the same table first', async () => {
    const spec = `CREATE TABLE tree (id int PRIMARY KEY, n int);
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.n < 2 THEN UPDATE tree SET n = new.n + 1 WHERE id = new.id; END IF; RETURN NULL; END $$;
      CREATE TRIGGER a_again AFTER INSERT OR UPDATE ON tree FOR EACH ROW EXECUTE FUNCTION again()`;
    await eu.enrol(spec, 'tree');
    await eu.user.query('INSERT INTO tree VALUES (1, 0), (2, 0)');
    const open = await eu.ticks.openCut();
    const one = (await open.changes()).filter((c) => c.key === '["1"]');
    expect(one.map((c) => [c.op, (JSON.parse(c.patch!) as { n: string }).n])).toEqual([
      ['insert', '0'],
      ['update', '1'],
      ['update', '2'],
    ]);
    await open.abandon();
  });

  it('tells what each region has applied, for the stable cut', async () => {
    const us = remoteTicks('us');
    const tx = await eu.apply.begin();
    await tx.advance([us.tick([]), us.tick([], { eu: 7, ap: 3 })], new Map());
    await tx.commit();
    await eu.user.query('INSERT INTO item VALUES (1)');
    await cutTick(eu);
    expect(await eu.ticks.lastDeps()).toEqual(
      new Map([
        [eu.region, { eu: 1, us: 2 }],
        [regionId('us'), { us: 2, eu: 7, ap: 3 }],
      ]),
    );
  });
});

/** Until some session waits in a statement like this. */
async function waiting(region: TestRegion, statement: string): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'`;
  while ((await region.user.query(sql, [statement])).rowCount === 0);
}
