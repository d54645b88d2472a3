import { type FeedPage, Refused, type Seq, seq } from '@meridian/core';
import { Pool } from 'pg';
import { remoteTicks } from '../apply/remote-tick.builder.js';
import { cutTick } from '../log/cut.builder.js';
import { PARTITION_IDS } from '../log/partitions.js';
import { type TestRegion, testRegion } from '../region.builder.js';
import { PgChangeFeed } from './pg-change-feed.js';

describe('the change feed over a log that is dropped below', () => {
  let eu: TestRegion;
  let pool: Pool;
  let feed: PgChangeFeed;
  /** The next partition of the log. */
  let part = 0;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY)', 'item');
    pool = new Pool({ connectionString: eu.url });
    feed = new PgChangeFeed(pool, eu.region);
    part = 0;
  });
  afterEach(async () => {
    await pool.end();
    await eu.close();
  });

  const insert = (...ids: readonly number[]) =>
    eu.user.query('INSERT INTO item SELECT unnest($1::int[])', [ids as number[]]);
  /** What was written goes into a tick; what comes goes into the next partition. */
  async function fill(...ids: readonly number[]): Promise<Seq> {
    await insert(...ids);
    const tick = await cutTick(eu);
    await eu.user.query(`SELECT setval('meridian.change_id', $1)`, [++part * PARTITION_IDS + 5]);
    await eu.ticks.maintainPartitions();
    return tick!.seq;
  }
  const keys = (page: FeedPage): readonly string[] =>
    page.items.map((i) => (JSON.parse(i.data) as { key: string[] }).key[0]!);
  const after = (cursor: string, limit = 10): Promise<FeedPage> =>
    feed.after(cursor, { kind: 'rows', table: null }, limit);
  async function expired(cursor: string): Promise<string> {
    const refused = await after(cursor).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ code: 'cursor_expired' });
    return (refused as Refused).members.cursor!;
  }

  it('refuses a reader who has not had what was dropped, and gives it a cursor to go on from', async () => {
    const before = await feed.now();
    const upto = await fill(1, 2, 3);
    const inTheMiddle = (await after(before, 2)).cursor;
    expect(await eu.ticks.dropBelow({ eu: upto })).toBe(1);
    const present = await expired(before);
    await expired(inTheMiddle);
    await insert(4);
    expect(keys(await after(present))).toEqual(['4']);
  });

  it('goes on for a reader who has had all of it, at a point or in the middle of a stretch', async () => {
    const before = await feed.now();
    const upto = await fill(1, 2);
    const point = await feed.now();
    await insert(3, 4);
    const stretch = (await after(before, 2)).cursor;
    expect(await eu.ticks.dropBelow({ eu: upto })).toBe(1);
    expect(keys(await after(point))).toEqual(['3', '4']);
    expect(keys(await after(stretch))).toEqual(['3', '4']);
  });

  it('begins at the beginning with what is left, and refuses what is dropped from then on', async () => {
    const first = await fill(1);
    const second = await fill(2, 3, 4);
    expect(await eu.ticks.dropBelow({ eu: first })).toBe(1);
    const page = await after(feed.beginning, 1);
    expect(keys(page)).toEqual(['2']);
    expect(keys(await after(page.cursor))).toEqual(['3', '4']);
    expect(await eu.ticks.dropBelow({ eu: second })).toBe(1);
    await expired(page.cursor);
    expect(keys(await after(feed.beginning))).toEqual([]);
  });

  it('does not take a transaction that is open for one whose changes were dropped', async () => {
    const [open, still] = await Promise.all([eu.connect(), eu.connect()]);
    await still.query('BEGIN; SELECT pg_current_xact_id()');
    await open.query('BEGIN; INSERT INTO item VALUES (100)');
    const early = await feed.now();
    await eu.user.query(`SELECT setval('meridian.change_id', $1)`, [++part * PARTITION_IDS + 5]);
    await fill(1);
    await open.query('COMMIT');
    const cursor = await feed.now();
    const beside = await feed.now();
    const { seq: upto } = (await cutTick(eu))!;
    expect(await eu.ticks.dropBelow({ eu: upto })).toBe(2);
    await still.query('INSERT INTO item VALUES (200); COMMIT');
    await expired(early);
    expect(keys(await after(cursor))).toEqual(['200']);
    expect(keys(await after(beside))).toEqual(['200']);
  });

  it('knows what it has had of other regions, by their ticks', async () => {
    const us = remoteTicks('us');
    const apply = async (id: string): Promise<void> => {
      const tick = us.tick([{ op: 'insert', key: `["${id}"]`, patch: { id } }]);
      const tx = await eu.apply.begin();
      await tx.append([tick]);
      await tx.advance([tick], new Map());
      await tx.commit();
    };
    const before = await feed.now();
    await apply('1');
    const upto = await fill(9);
    const behind = await feed.now();
    await apply('2');
    expect(await eu.ticks.dropBelow({ eu: upto, us: seq(1) })).toBe(1);
    await expired(before);
    expect(keys(await after(behind))).toEqual(['2']);
  });

  it('knows of what is deleted from the default partition, too', async () => {
    const before = await feed.now();
    await eu.user.query(`SELECT setval('meridian.change_id', $1)`, [PARTITION_IDS * 9 + 5]);
    await insert(1);
    const { seq: upto } = (await cutTick(eu))!;
    const behind = await feed.now();
    await eu.user.query(`SELECT setval('meridian.change_id', $1)`, [PARTITION_IDS * 10 + 5]);
    await eu.ticks.maintainPartitions();
    await eu.ticks.dropBelow({ eu: upto });
    await expired(before);
    await insert(2);
    expect(keys(await after(behind))).toEqual(['2']);
  });

  it('sees a drop that it waited for while it began to read', async () => {
    const before = await feed.now();
    const upto = await fill(1);
    const [blocker, watcher] = await Promise.all([eu.connect(), eu.connect()]);
    const waits = async (query: string): Promise<boolean> =>
      (
        await watcher.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND ltrim(query, E' \\n') LIKE $1`,
          [query],
        )
      ).rowCount === 1;
    for (let dropped = 0; dropped === 0;) {
      // Stops the drop when it has locked the log; it gives up soon, and then is tried again.
      await blocker.query('BEGIN; UPDATE meridian.dropped SET times = times');
      let ended = false;
      const dropping = eu.ticks.dropBelow({ eu: upto }).finally(() => (ended = true));
      while (!ended && !(await waits('UPDATE meridian.dropped d%')));
      const reading = after(before).catch((error: unknown) => error);
      while (!ended && !(await waits('WITH log AS%')));
      await blocker.query('ROLLBACK');
      dropped = await dropping;
      if (dropped === 0) expect(keys((await reading) as FeedPage)).toEqual(['1']);
      else expect(await reading).toMatchObject({ code: 'cursor_expired' });
    }
  });
});
