import type { ConflictChange } from '@meridian/contract';
import type { Followed } from '@meridian/core';
import { createRowsPool, PgChangeFeed, PgConflictDesk } from '@meridian/postgres';
import type { Pool } from 'pg';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

describe('the feed of conflicts', () => {
  let regions: RealRegions;
  const pools = new Map<RealRegion, Pool>();
  useRegions(['eu', 'us'], (opened) => {
    regions = opened;
    for (const region of opened.all)
      pools.set(region, createRowsPool({ url: region.url, max: 4, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 }));
  });
  afterAll(() => Promise.all([...pools.values()].map((pool) => pool.end())));

  const feedOf = (region: RealRegion) => new PgChangeFeed(pools.get(region)!, region.name);
  const of = (t: string): Followed => ({ kind: 'conflicts', table: { schema: 'public', name: t } });
  const write = (name: string, sql: string) => regions.named(name).user.query(sql);
  /** All that follows, read in pages of two, each from the cursor of the event before it. */
  const told = async (region: RealRegion, from: string, followed: Followed): Promise<ConflictChange[]> => {
    const items: ConflictChange[] = [];
    for (let cursor = from; ;) {
      const page = await feedOf(region).after(cursor, followed, 2);
      for (const { event, data } of page.items) {
        items.push(JSON.parse(data) as ConflictChange);
        expect(items.at(-1)!.type).toBe(event);
      }
      if (page.items.length === 0) return items;
      cursor = page.items.at(-1)!.cursor;
    }
  };

  it('tells in every region of what became of a conflict, in order', async () => {
    const t = await regions.items();
    const begin = new Map<RealRegion, string>();
    for (const region of regions.all) begin.set(region, await feedOf(region).now());
    await write('us', `INSERT INTO ${t} VALUES (1, '-', '-', 0)`);
    await regions.exchange();
    await write('eu', `UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await write('us', `UPDATE ${t} SET x = 'us'`);
    await regions.exchange();
    const us = regions.named('us');
    const desk = new PgConflictDesk(pools.get(us)!, us.name);
    const [id] = (await us.read(`SELECT id FROM meridian.conflict WHERE rel = $1`, [`public.${t}`])) as [string];
    await desk.resolve(id, { choice: { kind: 'accept' }, note: 'fine' }, { actor: 'ann', version: null });
    // Of one tick, other regions are told how it ended.
    await regions.exchange();
    await desk.reopen(id, 'looked again', { actor: 'bob', version: null });
    await regions.exchange();
    for (const region of regions.all) {
      const events = await told(region, begin.get(region)!, of(t));
      expect(events.map(({ type, origin, actor }) => `${type} in ${origin} by ${actor}`)).toEqual([
        'conflict.opened in eu by meridian',
        `conflict.resolved in us by ann`,
        `conflict.reopened in us by bob`,
      ]);
      expect(events[0]).toMatchObject({
        id,
        table: `public.${t}`,
        key: ['1'],
        kind: 'update_origin_differs',
        region: 'eu',
      });
      expect(events[0]!.reason).toMatch(/us's write won/);
      expect(events[1]).toMatchObject({ id, decision: { strategy: 'accept', by: 'ann', region: 'us', note: 'fine' } });
    }
  });

  it('tells of one that is forgotten; of what was decided of it nobody can say then what it was', async () => {
    const t = await regions.items();
    const us = regions.named('us');
    const begin = await feedOf(us).now();
    await write('us', `INSERT INTO ${t} VALUES (1, '-', '-', 0)`);
    await regions.exchange();
    await write('eu', `UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await write('us', `UPDATE ${t} SET x = 'us'`);
    await regions.exchange();
    const [id] = (await us.read(`SELECT id FROM meridian.conflict WHERE rel = $1`, [`public.${t}`])) as [string];
    const desk = new PgConflictDesk(pools.get(us)!, us.name);
    await desk.resolve(id, { choice: { kind: 'accept' }, note: null }, { actor: 'ann', version: null });
    await regions.exchange();
    await write('eu', `DELETE FROM meridian.conflict WHERE id = '${id}'`);
    await regions.exchange();
    const events = (await told(us, begin, { kind: 'conflicts', table: null })).filter((e) => e.id === id);
    expect(events.map(({ type, table }) => `${type} of ${table}`)).toEqual([
      `conflict.opened of public.${t}`,
      'conflict.resolved of null',
      `conflict.forgotten of public.${t}`,
    ]);
  });

  it('tells of one that is withdrawn, and of no other table when one is named', async () => {
    const [t, other] = [await regions.items(), await regions.items()];
    const us = regions.named('us');
    const begin = await feedOf(us).now();
    for (const table of [t, other]) {
      await write('us', `INSERT INTO ${table} VALUES (1, '-', '-', 0)`);
      await regions.exchange();
      await write('eu', `UPDATE ${table} SET x = 'eu'`);
      nextMillisecond();
      await write('us', `UPDATE ${table} SET x = 'us'`);
    }
    await regions.exchange();
    // As apply does when the overwritten change comes back.
    await write('eu', `UPDATE meridian.conflict SET status = 'withdrawn' WHERE rel = 'public.${t}'`);
    await regions.exchange();
    const types = (events: readonly ConflictChange[]) => events.map(({ type, table }) => `${type} of ${table}`);
    expect(types(await told(us, begin, of(t)))).toEqual([
      `conflict.opened of public.${t}`,
      `conflict.withdrawn of public.${t}`,
    ]);
    expect(types(await told(us, begin, { kind: 'conflicts', table: null }))).toContain(
      `conflict.opened of public.${other}`,
    );
  });
});
