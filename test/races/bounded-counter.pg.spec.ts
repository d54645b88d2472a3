import type { Refused } from '@meridian/core';
import { refusalOf } from '@meridian/postgres';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

const BOUNDED = { columns: { n: { policy: 'bounded-counter', min: 0 } } };

describe('I7: a bounded counter', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let made = 0;
  let item = '';
  useRegions(['ap', 'eu', 'us'], (opened) => {
    [ap, eu, us] = (regions = opened).all;
  });

  async function items(rows = '', policy: object = {}): Promise<void> {
    item = `bounded_${++made}`;
    const ddl = `CREATE TABLE ${item} (id int PRIMARY KEY, code text UNIQUE, n int NOT NULL CHECK (n >= 0)); ${rows.replaceAll('$', item)}`;
    await regions.enrol(ddl, [item], { ...BOUNDED, ...policy });
  }
  const add = (region: RealRegion, n: number, id = 1): Promise<unknown> =>
    region.user.query(`UPDATE ${item} SET n = n + ${n} WHERE id = ${id}`);
  const shares = (region: RealRegion, id = 1): Promise<string[]> =>
    region.read(
      `SELECT s.region, s.amount FROM meridian.enrolled_table t, meridian.shares_of(t.rel, (t.spec->'bounded'->0->>'since')::int, 'n', ARRAY['["${id}"]']) s
        WHERE t.rel = 'public.${item}'`,
    );
  /** I2 for the shares, too: they are rows of a replicated table. */
  async function equalShares(id = 1): Promise<string[]> {
    await regions.exchange();
    const [first, ...others] = await Promise.all(regions.all.map((region) => shares(region, id)));
    for (const other of others) expect(other).toEqual(first);
    return first!;
  }
  async function moved(): Promise<string[]> {
    for (let looked = 1; looked > 0;) {
      looked = 0;
      for (const region of regions.all) looked += await region.moveShares();
      await regions.exchange();
    }
    return equalShares();
  }
  const REFUSED = expect.objectContaining({ code: '23514', constraint: 'meridian_share' });

  it('begins with rows that are there, evenly', async () => {
    await items(`INSERT INTO $ VALUES (1, 'a', 11)`);
    expect(await equalShares()).toEqual(['ap | 5', 'eu | 3', 'us | 3']);
    await Promise.all([add(ap!, -5), add(eu!, -3), add(us!, -3)]);
    expect(await regions.equalRows(item)).toEqual(['1 | a | 0']);
    for (const region of regions.all) await expect(add(region, -1)).rejects.toMatchObject({ code: '23514' });
  });

  it('refuses in each region what is past its share, until shares have moved', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 10)`);
    await regions.exchange();
    await expect(add(eu!, -1)).rejects.toMatchObject({
      message: `the region eu may take 0 more from n of public.${item} ["1"]; us may take 10`,
    });
    expect(await moved()).toEqual(['ap | 3', 'eu | 3', 'us | 4']);
    await Promise.all([add(eu!, -3), add(us!, -4), add(ap!, -2)]);
    expect(await regions.equalRows(item)).toEqual(['1 | a | 1']);
    expect(await equalShares()).toEqual(['ap | 1', 'eu | 0', 'us | 0']);
  });

  it('never sells what another region sold, also while a transfer is on its way', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 9)`);
    await regions.exchange();
    await us!.moveShares();
    await expect(add(us!, -4)).rejects.toEqual(REFUSED);
    await add(us!, -3);
    await expect(add(eu!, -1)).rejects.toEqual(REFUSED);
    await regions.exchange();
    await Promise.all([add(eu!, -3), add(ap!, -3)]);
    expect(await regions.equalRows(item)).toEqual(['1 | a | 0']);
  });

  it('gives nothing away that a writer holds, nor what he has taken meanwhile', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 9)`);
    await regions.exchange();
    const writer = await us!.connect();
    await writer.query(`BEGIN; UPDATE ${item} SET n = n - 8`);
    await us!.moveShares();
    expect(await shares(us!)).toEqual(['us | 9']);
    await expect(us!.moveShares()).resolves.toBe(0);
    await writer.query('COMMIT');
    await us!.moveShares();
    expect(await equalShares()).toEqual(['us | 1']);
  });

  it('fails a writer whose snapshot is older than what was given away', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 9)`);
    const writer = await us!.connect();
    await writer.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM ${item}`);
    await us!.moveShares();
    await expect(writer.query(`UPDATE ${item} SET n = n - 9`)).rejects.toMatchObject({ code: '40001' });
  });

  it.each(['update-wins', 'delete-wins'])(
    'keeps its bound where one region deletes the row and inserts it anew, and another takes from it, %s',
    async (policy) => {
      await items(`INSERT INTO $ VALUES (1, 'a', 9)`, { delete: policy });
      await add(eu!, -2);
      await us!.user.query(`DELETE FROM ${item}`);
      await expect(us!.user.query(`INSERT INTO ${item} VALUES (1, 'b', 5)`)).rejects.toEqual(REFUSED);
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'b', 6)`);
      await add(ap!, -3);
      expect(await regions.equalRows(item)).toEqual(['1 | b | 1']);
      expect(await equalShares()).toEqual(['ap | 0', 'eu | 1', 'us | 0']);
    },
  );

  it('counts both where two regions insert one key', async () => {
    await items();
    await Promise.all(
      [eu!, us!].map((region, i) => region.user.query(`INSERT INTO ${item} VALUES (1, 'a', ${i + 2})`)),
    );
    expect(await regions.equalRows(item)).toEqual(['1 | a | 5']);
    expect(await equalShares()).toEqual(['eu | 2', 'us | 3']);
  });

  it('takes from a parked row and from one that comes back by itself', async () => {
    await items(`INSERT INTO $ VALUES (1, 'a', 9), (2, 'b', 9)`);
    await us!.user.query(`UPDATE ${item} SET code = 'z' WHERE id = 2`);
    await eu!.user.query(`UPDATE ${item} SET code = 'z' WHERE id = 1`);
    await add(ap!, -3);
    await regions.exchange();
    await us!.user.query(`DELETE FROM ${item} WHERE id = 2`);
    await regions.exchange();
    expect(await regions.equalRows(item)).toEqual(['1 | z | 6']);
    expect(await equalShares()).toEqual(['ap | 0', 'eu | 3', 'us | 3']);
  });

  it('gives a write what it waits for, where the others together have it', async () => {
    await items();
    await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 10)`);
    await moved();
    const write = (n: number) => eu!.user.query(`UPDATE ${item} SET n = n - ${n}`);
    const refused = await write(9).catch((error: unknown) => refusalOf(error) as Refused);
    let ended = false;
    const sought = eu!.seekShare((refused as Refused).members, () => write(9)).finally(() => (ended = true));
    while (!ended) await moved();
    expect(await sought).not.toBeNull();
    expect(await regions.equalRows(item)).toEqual(['1 | a | 1']);
    expect(
      await eu!.read(`SELECT wanted FROM meridian.share WHERE rel = 'public.${item}' AND wanted IS NOT NULL`),
    ).toEqual([]);
  });

  it('begins anew with an enrolment, whatever an ended one has left', async () => {
    await items(`INSERT INTO $ VALUES (1, 'a', 9)`);
    await add(us!, -3);
    await regions.exchange();
    for (const region of regions.all) await region.unenrol(item);
    await regions.enrol('SELECT', [item], BOUNDED);
    expect(await equalShares()).toEqual(['ap | 2', 'eu | 2', 'us | 2']);
    await expect(add(us!, -3)).rejects.toEqual(REFUSED);
  });

  it('keeps its shares under another policy of its table, and its bound with a new enrolment only', async () => {
    await items(`INSERT INTO $ VALUES (1, 'a', 9)`);
    await add(us!, -3);
    await regions.enrol('SELECT', [item], { ...BOUNDED, delete: 'delete-wins' });
    expect(await equalShares()).toEqual(['ap | 3', 'eu | 3', 'us | 0']);
    await expect(add(us!, -1)).rejects.toEqual(REFUSED);
    const other = { columns: { n: { policy: 'bounded-counter', min: 1 } } };
    await expect(regions.enrol('SELECT', [item], other)).rejects.toMatchObject({
      problems: [expect.objectContaining({ code: 'policy_needs_enrolment' })],
    });
  });
});
