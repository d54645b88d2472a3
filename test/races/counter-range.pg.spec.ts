import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

/** Of the type of all these counters. */
const MOST = 32767;

describe('I2, I7: a counter that several regions bring beyond its type', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let made = 0;
  let item = '';
  useRegions(['ap', 'eu', 'us'], (opened) => {
    [ap, eu, us] = (regions = opened).all;
  });

  async function items(policy: object = {}): Promise<void> {
    item = `counted_${++made}`;
    const ddl = `CREATE TABLE ${item} (id int PRIMARY KEY, code text UNIQUE, n int2 NOT NULL)`;
    await regions.enrol(ddl, [item], { columns: { n: 'counter' }, ...policy });
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', ${MOST - 10})`);
    await regions.exchange();
  }
  const add = (region: RealRegion, n: number, id = 1): Promise<unknown> =>
    region.user.query(`UPDATE ${item} SET n = n + ${n} WHERE id = ${id}`);
  const rows = (): Promise<string[]> => regions.equalRows(item);
  /** eu and us, each within the type, together 10 beyond it. */
  async function runOver(others: readonly string[] = []): Promise<void> {
    await Promise.all([add(eu!, 10), add(us!, 10)]);
    expect(await rows()).toEqual([`1 | a | ${MOST}`, ...others]);
  }

  it('shows the bound everywhere, and the full sum when decrements bring it back', async () => {
    await items();
    await runOver();
    await add(ap!, -4);
    expect(await rows()).toEqual([`1 | a | ${MOST}`]);
    await Promise.all([add(ap!, -4), add(us!, -4)]);
    expect(await rows()).toEqual([`1 | a | ${MOST - 2}`]);
  });

  it.each(['update-wins', 'delete-wins', 'by-stamp'])(
    'is the same everywhere when one region deletes the row and another counts on, %s',
    async (policy) => {
      await items({ delete: policy });
      await runOver();
      await eu!.user.query(`DELETE FROM ${item}`);
      await add(us!, -5);
      await rows();
      await add(ap!, -4);
      expect(await rows()).toEqual(policy === 'delete-wins' ? [] : [`1 | a | ${MOST}`]);
      await add(us!, -4);
      expect(await rows()).toEqual(policy === 'delete-wins' ? [] : [`1 | a | ${MOST - 3}`]);
    },
  );

  it('is restored in full from the image of its delete, where nobody has it any more', async () => {
    await items();
    await runOver();
    await eu!.user.query(`DELETE FROM ${item}`);
    await add(us!, -1);
    await eu!.cut();
    await ap!.takeFrom(eu!);
    expect(await ap!.read(`SELECT FROM ${item}`)).toEqual([]);
    expect(await rows()).toEqual([`1 | a | ${MOST}`]);
    await add(ap!, -10);
    expect(await rows()).toEqual([`1 | a | ${MOST - 1}`]);
  });

  it('is in the image of a delete that waited while apply changed it', async () => {
    await items();
    await runOver();
    await add(us!, -3);
    await us!.cut();
    const writer = await eu!.connect();
    const stop = eu!.stopBefore('advance');
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    const deleted = writer.query(`DELETE FROM ${item}`);
    await eu!.untilWaits(deleted, 'a user');
    stop.go();
    await Promise.all([applied, deleted]);
    await add(ap!, -8);
    expect(await rows()).toEqual([`1 | a | ${MOST - 1}`]);
  });

  it('starts anew with a row that is inserted anew, here and there', async () => {
    await items();
    await runOver();
    await eu!.user.query(`DELETE FROM ${item}; INSERT INTO ${item} VALUES (1, 'anew', 1)`);
    await rows();
    await add(us!, 1);
    expect(await rows()).toEqual(['1 | anew | 2']);
  });

  it('goes with its row to another key', async () => {
    await items();
    await runOver();
    await eu!.user.query(`UPDATE ${item} SET id = 2`);
    await rows();
    await add(us!, -5, 2);
    expect(await rows()).toEqual([`2 | a | ${MOST}`]);
    await add(ap!, -6, 2);
    expect(await rows()).toEqual([`2 | a | ${MOST - 1}`]);
  });

  it('is kept while its row is parked, counts on there, and comes back with it', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (2, 'b', 0)`);
    await runOver([`2 | b | 0`]);
    await us!.user.query(`UPDATE ${item} SET code = 'z' WHERE id = 2`);
    nextMillisecond();
    await eu!.user.query(`UPDATE ${item} SET code = 'z' WHERE id = 1`);
    await add(ap!, -5);
    expect(await rows()).toEqual(['2 | z | 0']);
    await us!.user.query(`DELETE FROM ${item} WHERE id = 2`);
    expect(await rows()).toEqual([`1 | z | ${MOST}`]);
    await add(ap!, -6);
    expect(await rows()).toEqual([`1 | z | ${MOST - 1}`]);
  });
});
