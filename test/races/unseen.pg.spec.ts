import type { Tick } from '@meridian/core';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

/*
 * The race of design 5: a local transaction writes a row while a remote change of the same row waits for it. It commits, apply
 * decides the two as concurrent, and then the next tick's deps would say that the local write had seen the remote one.
 */
describe('a local write in no tick yet beside a remote change that waits for it', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  useRegions(['ap', 'eu', 'us'], (opened) => ([ap, eu, us] = (regions = opened).all));

  interface Race {
    /** Left open until apply waits for it. */
    readonly inEu: string;
    readonly inUs: string;
    readonly first?: 'eu' | 'us';
  }

  /** eu's apply of us's tick waits for eu's writer, who then commits. ap gets us's tick before eu's. */
  async function race({ inEu, inUs, first = 'eu' }: Race): Promise<Tick> {
    const writer = await eu!.connect();
    const writes = [() => writer.query(`BEGIN; ${inEu}`), () => us!.user.query(inUs)];
    for (const write of first === 'eu' ? writes : writes.reverse()) {
      await write();
      nextMillisecond();
    }
    await us!.cut();
    const applied = eu!.takeFrom(us!);
    await eu!.untilWaits(applied);
    await writer.query('COMMIT');
    await applied;
    const tick = (await eu!.cut())!;
    await ap!.takeFrom(us!);
    await ap!.takeFrom(eu!);
    return tick;
  }

  /** The writer's changes are shipped as not having seen us's tick, which theirs covers. */
  async function unseenRace(t: string, writes: Race): Promise<void> {
    const tick = await race(writes);
    expect(tick.deps).toMatchObject({ us: us!.lastShipped });
    const local = tick.changes.filter((c) => c.table === `public.${t}`);
    expect(local.map((c) => c.unseen)).toEqual(local.map(() => ({ us: us!.lastShipped })));
  }

  const items = async (policy: object = {}): Promise<string> => {
    const t = await regions.items(policy);
    await us!.user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 10)`);
    await regions.exchange();
    return t;
  };
  const brief = async (t: string): Promise<unknown[]> =>
    (await regions.conflicts(t)).map(({ kind, region, status, loser }) => [kind, region, status, loser.op]);

  it('I2, I7: update against update, the remote one later', async () => {
    const t = await items();
    await unseenRace(t, {
      inEu: `UPDATE ${t} SET x = 'eu', n = n + 3`,
      inUs: `UPDATE ${t} SET x = 'us', y = 'us', n = n + 5`,
    });
    expect(await regions.equalRows(t)).toEqual(['1 | us | us | 18']);
    expect(await brief(t)).toEqual([['update_origin_differs', 'eu', 'open', 'update']]);
  });

  it('I2, I7: update against update, the local one later', async () => {
    const t = await items();
    await unseenRace(t, {
      inEu: `UPDATE ${t} SET x = 'eu', n = n + 3`,
      inUs: `UPDATE ${t} SET x = 'us', y = 'us', n = n + 5`,
      first: 'us',
    });
    expect(await regions.equalRows(t)).toEqual(['1 | eu | us | 18']);
    expect(await brief(t)).toEqual([['update_origin_differs', 'us', 'open', 'update']]);
  });

  it('I2, I7: two local transactions, one committed and one open: neither has seen the remote one', async () => {
    const t = await items();
    await eu!.user.query(`UPDATE ${t} SET x = 'eu', n = n + 3`);
    await unseenRace(t, {
      inEu: `UPDATE ${t} SET y = 'eu', n = n + 1`,
      inUs: `UPDATE ${t} SET x = 'us', y = 'us', n = n + 5`,
    });
    expect(await regions.equalRows(t)).toEqual(['1 | us | us | 19']);
    expect(await brief(t)).toEqual([
      ['update_origin_differs', 'eu', 'open', 'update'],
      ['update_origin_differs', 'eu', 'open', 'update'],
    ]);
  });

  it('I2, I7: insert against insert', async () => {
    const t = await regions.items();
    await unseenRace(t, {
      inEu: `INSERT INTO ${t} VALUES (1, 'eu', '-', 3)`,
      inUs: `INSERT INTO ${t} VALUES (1, 'us', '-', 5)`,
    });
    expect(eu!.retries).toContain('row appeared');
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 8']);
    expect(await brief(t)).toEqual([['insert_exists', 'eu', 'open', 'insert']]);
  });

  it.each([
    ['update-wins', ['1 | us | - | 15'], ['delete_origin_differs', 'eu', 'open', 'delete']],
    ['delete-wins', [], ['update_deleted', 'us', 'open', 'update']],
    ['by-stamp', ['1 | us | - | 15'], ['delete_origin_differs', 'eu', 'open', 'delete']],
  ])('I2, I3: a local delete against an update, %s', async (policy, rows, record) => {
    const t = await items({ delete: policy });
    await unseenRace(t, { inEu: `DELETE FROM ${t}`, inUs: `UPDATE ${t} SET x = 'us', n = n + 5` });
    expect(await regions.equalRows(t)).toEqual(rows);
    expect(await brief(t)).toEqual([record]);
  });

  it.each([
    ['update-wins', ['1 | eu | - | 15'], ['delete_origin_differs', 'us', 'open', 'delete']],
    ['delete-wins', [], ['update_deleted', 'eu', 'open', 'update']],
    ['by-stamp', [], ['update_deleted', 'eu', 'open', 'update']],
  ])('I2, I3: a local update against a delete, %s', async (policy, rows, record) => {
    const t = await items({ delete: policy });
    await unseenRace(t, { inEu: `UPDATE ${t} SET x = 'eu', n = n + 5`, inUs: `DELETE FROM ${t}` });
    expect(await regions.equalRows(t)).toEqual(rows);
    expect(await brief(t)).toEqual([record]);
  });

  it.each([
    ['the local claim is the earlier', 'eu', '1 | p', 'us'],
    ['the remote claim is the earlier', 'us', '2 | p', 'eu'],
  ] as const)('I2: one unique value claimed by two rows, %s', async (_, first, shown, loser) => {
    const t = `claim_${first}`;
    await regions.enrol(`CREATE TABLE ${t} (id int PRIMARY KEY, u text UNIQUE)`, [t]);
    await race({ inEu: `INSERT INTO ${t} VALUES (1, 'p')`, inUs: `INSERT INTO ${t} VALUES (2, 'p')`, first });
    expect(await regions.equalRows(t)).toEqual([shown]);
    expect(await brief(t)).toEqual([['insert_exists', loser, 'open', 'insert']]);
    // Free again, the parked row comes back by itself.
    await regions.all.find((r) => r.name === first)!.user.query(`DELETE FROM ${t}`);
    expect(await regions.equalRows(t)).toEqual([first === 'eu' ? '2 | p' : '1 | p']);
  });
});
