import { at } from '@meridian/core';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

/*
 * A key that has no row cannot be locked. Between apply's look at the log and its commit a local transaction fits, and a tick
 * that ships it: its deps do not cover the arriving change, so every other region takes the two as concurrent (design 5, step 7).
 */
describe('a key without a row, written here and shipped while apply decides', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  useRegions(['eu', 'us'], (opened) => ([eu, us] = (regions = opened).all));

  /** eu's apply of us's ticks stands still before `step`; then eu writes and cuts. */
  async function between(step: 'write' | 'takeCutLock', inEu: string): Promise<void> {
    eu!.retries.length = 0;
    await us!.cut();
    const stop = eu!.stopBefore(step);
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    await eu!.user.query(inEu);
    const tick = await eu!.cut();
    expect(at(tick!.deps, us!.name)).toBe(us!.lastShipped - 1);
    stop.go();
    await applied;
    expect(eu!.retries).toEqual(['row appeared']);
  }

  it.each([
    // The row is there by us's insert; of what its columns were set to, the latest.
    ['update-wins', ['1 | eu | - | 8']],
    ['delete-wins', []],
    ['by-stamp', []],
  ])('I2, I7: inserted and deleted beside an arriving insert, %s', async (policy, rows) => {
    const t = await regions.items({ delete: policy });
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'us', '-', 5)`);
    await between('write', `INSERT INTO ${t} VALUES (1, 'eu', '-', 3); DELETE FROM ${t} WHERE id = 1`);
    expect(await regions.equalRows(t)).toEqual(rows);
  });

  it('I2, I7: inserted beside an arriving insert, which then does nothing', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'us', '-', 5)`);
    await between('write', `INSERT INTO ${t} VALUES (1, 'eu', 'eu', 3)`);
    expect(await regions.equalRows(t)).toEqual(['1 | eu | eu | 8']);
    expect(await regions.conflicts(t)).toMatchObject([{ kind: 'insert_exists', region: 'us', status: 'open' }]);
  });

  it.each([
    ['update-wins', ['1 | anew | - | 3']],
    ['delete-wins', []],
    ['by-stamp', ['1 | anew | - | 3']],
  ])(
    'I2, I3: inserted anew beside an arriving delete of the row that was deleted here too, %s',
    async (policy, rows) => {
      const t = await regions.items({ delete: policy });
      await us!.user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 10)`);
      await regions.exchange();
      await eu!.user.query(`DELETE FROM ${t}`);
      await us!.user.query(`DELETE FROM ${t}`);
      await between('takeCutLock', `INSERT INTO ${t} VALUES (1, 'anew', '-', 3)`);
      expect(await regions.equalRows(t)).toEqual(rows);
    },
  );

  it('I2, I7: inserted anew beside an arriving update of the row that was deleted here', async () => {
    const t = await regions.items({ delete: 'delete-wins' });
    await us!.user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 10)`);
    await regions.exchange();
    await eu!.user.query(`DELETE FROM ${t}`);
    await us!.user.query(`UPDATE ${t} SET y = 'us', n = n + 5`);
    await between('takeCutLock', `INSERT INTO ${t} VALUES (1, 'anew', '-', 3)`);
    expect(await regions.equalRows(t)).toEqual(['1 | anew | - | 8']);
  });

  it('no tick is cut between the second look and the commit', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'us', '-', 5)`);
    await us!.cut();
    const stop = eu!.stopBefore('commit');
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    const cut = eu!.cut(true);
    await eu!.untilWaits(cut, 'meridian relay');
    stop.go();
    await applied;
    expect((await cut)!.deps).toMatchObject({ us: us!.lastShipped });
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 5']);
  });
});
