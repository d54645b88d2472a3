import { seq } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { remoteTicks } from '../apply/remote-tick.builder.js';
import { cutTick, keysOf } from './cut.builder.js';
import { PARTITION_IDS } from './partitions.js';

describe("the log's partitions", () => {
  let eu: TestRegion;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY)', 'item');
  });
  afterEach(() => eu.close());

  const names = async (): Promise<string[]> => {
    const sql = `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'meridian.change'::regclass ORDER BY 1`;
    return (await eu.user.query<{ name: string }>(sql)).rows.map((r) => r.name.replace('meridian.', ''));
  };
  const goTo = (id: number): Promise<unknown> => eu.user.query(`SELECT setval('meridian.change_id', $1)`, [id]);

  it('stand ready ahead of the sequence, and are made once', async () => {
    expect(await names()).toEqual(['change_0', 'change_1', 'change_2', 'change_3', 'change_4', 'change_default']);
    expect(await eu.ticks.maintainPartitions()).toBe(0);
    await goTo(PARTITION_IDS * 2 + 5);
    expect(await eu.ticks.maintainPartitions()).toBe(2);
    expect(await names()).toContain('change_6');
  });

  it('have a net below them: what comes when they are late is shipped like all else, and dropped in its time', async () => {
    await goTo(PARTITION_IDS * 9 + 5);
    await eu.user.query('INSERT INTO item VALUES (1)');
    expect(keysOf(await cutTick(eu))).toEqual(['["1"]']);
    await eu.ticks.maintainPartitions();
    expect((await eu.user.query('SELECT FROM meridian.change_default')).rowCount).toBe(1);
    expect(await names()).not.toContain('change_9');
    expect(await names()).toContain('change_10');
    await goTo(PARTITION_IDS * 10 + 5);
    await eu.ticks.dropBelow({ eu: seq(1) });
    expect((await eu.user.query('SELECT FROM meridian.change')).rowCount).toBe(0);
  });

  it('are dropped when every region has all of theirs, oldest first', async () => {
    const us = remoteTicks('us');
    await eu.user.query('INSERT INTO item VALUES (1)');
    await cutTick(eu);
    const tick = us.tick([{ op: 'insert', key: '["2"]', patch: { id: '2' } }]);
    const tx = await eu.apply.begin();
    await tx.append([tick]);
    await tx.advance([tick], new Map());
    await tx.commit();
    await goTo(PARTITION_IDS + 5);
    await eu.user.query('INSERT INTO item VALUES (3)');
    await cutTick(eu);
    expect(await eu.ticks.dropBelow({ eu: seq(1) })).toBe(0);
    expect(await eu.ticks.dropBelow({ eu: seq(0), us: seq(1) })).toBe(0);
    expect(await eu.ticks.dropBelow({ eu: seq(1), us: seq(1) })).toBe(1);
    expect(await names()).not.toContain('change_0');
    // What is gone in part cannot be made again; what is above the cut can.
    const all = { ticks: 10, changes: 10 };
    expect(await eu.ticks.readTicks(eu.region, seq(1), all)).toEqual([]);
    expect(await eu.ticks.readTicks(us.origin, seq(1), all)).toEqual([]);
    expect((await eu.ticks.readTicks(eu.region, seq(2), all)).map((t) => t.seq)).toEqual([2]);
  });

  it('I3: are not dropped under an open writer, whose change would go with them', async () => {
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (1)');
    await eu.user.query('INSERT INTO item VALUES (2)');
    await cutTick(eu);
    await goTo(PARTITION_IDS + 5);
    expect(await eu.ticks.dropBelow({ eu: seq(1) })).toBe(0);
    await slow.query('COMMIT');
    expect(await eu.ticks.dropBelow({ eu: seq(1) })).toBe(0);
    expect(keysOf(await cutTick(eu))).toEqual(['["1"]']);
    expect(await eu.ticks.dropBelow({ eu: seq(2) })).toBe(1);
  });

  it('I3: a change that is committed between the look and the lock is seen by the second look', async () => {
    const slow = await eu.connect();
    await eu.user.query('INSERT INTO item VALUES (1)');
    await cutTick(eu);
    await slow.query('BEGIN; INSERT INTO item VALUES (2)');
    await goTo(PARTITION_IDS + 5);
    // The drop has looked, and waits for the lock of the parent, which the writer holds.
    const dropped = eu.ticks.dropBelow({ eu: seq(1) });
    const sql = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ACCESS EXCLUSIVE%'`;
    while ((await eu.user.query(sql)).rowCount === 0);
    await slow.query('COMMIT');
    expect(await dropped).toBe(0);
    expect(keysOf(await cutTick(eu))).toEqual(['["2"]']);
  });

  it('stay for the history to keep', async () => {
    const ap = await testRegion('ap', 3_600_000);
    await ap.enrol('CREATE TABLE item (id int PRIMARY KEY)', 'item');
    await ap.user.query('INSERT INTO item VALUES (1)');
    await cutTick(ap);
    await ap.user.query(`SELECT setval('meridian.change_id', $1)`, [PARTITION_IDS + 5]);
    expect(await ap.ticks.dropBelow({ ap: seq(1) })).toBe(0);
    await ap.close();
  });
});
