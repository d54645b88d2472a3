import type { Client } from 'pg';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

const POLICIES = ['update-wins', 'delete-wins', 'by-stamp'];

describe('a child beside the delete of its parent', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  let writer: Client;
  let made = 0;
  let [parent, child] = ['', ''];
  useRegions(['ap', 'eu', 'us'], async (opened) => {
    [, eu, us] = (regions = opened).all;
    writer = await eu!.connect();
  });

  async function family(policy: object = {}): Promise<void> {
    [parent, child] = [`parent_${++made}`, `child_${made}`];
    const ddl = `CREATE TABLE ${parent} (id int PRIMARY KEY, name text);
      CREATE TABLE ${child} (id int PRIMARY KEY, parent int REFERENCES ${parent}, v text)`;
    await regions.enrol(ddl, [parent, child], policy);
    await us!.user.query(
      `INSERT INTO ${parent} VALUES (1, 'one'), (2, 'two'); INSERT INTO ${child} VALUES (20, 2, '-')`,
    );
    await regions.exchange();
  }
  const both = (): Promise<string[]> => regions.equalRows(parent, child);

  /** eu's writer is open while apply waits for it. */
  async function race(inEu: string, inUs: string): Promise<void> {
    await writer.query(`BEGIN; ${inEu}`);
    await us!.user.query(inUs);
    await us!.cut();
    const applied = eu!.takeFrom(us!);
    await eu!.untilWaits(applied);
    await writer.query('COMMIT');
    await applied;
  }

  it.each(POLICIES)(
    'a child arrives while its parent is being deleted here: the parent is back, %s',
    async (policy) => {
      await family({ delete: policy });
      await race(`DELETE FROM ${parent} WHERE id = 1`, `INSERT INTO ${child} VALUES (10, 1, 'us')`);
      expect(await both()).toEqual(['1 | one', '2 | two', '10 | 1 | us', '20 | 2 | -']);
      expect(await regions.conflicts(parent)).toMatchObject([
        { kind: 'delete_origin_differs', region: 'eu', status: 'open' },
      ]);
    },
  );

  it.each(POLICIES)(
    'a delete arrives while a child of the row is being inserted here: the row stays, %s',
    async (policy) => {
      await family({ delete: policy });
      await race(`INSERT INTO ${child} VALUES (10, 1, 'eu')`, `DELETE FROM ${parent} WHERE id = 1`);
      expect(await both()).toEqual(['1 | one', '2 | two', '10 | 1 | eu', '20 | 2 | -']);
      expect(await regions.conflicts(parent)).toMatchObject([
        { kind: 'delete_origin_differs', region: 'us', status: 'open' },
      ]);
    },
  );

  it('a child is given to another parent while that one is being deleted here', async () => {
    await family();
    await race(`DELETE FROM ${parent} WHERE id = 1`, `UPDATE ${child} SET parent = 1`);
    expect(await both()).toEqual(['1 | one', '2 | two', '20 | 1 | -']);
  });

  it('a child that an update brings back stays parked everywhere while its parent is gone', async () => {
    await family();
    await race(`DELETE FROM ${child}; DELETE FROM ${parent} WHERE id = 2`, `UPDATE ${child} SET v = 'us'`);
    expect(await both()).toEqual(['1 | one']);
    expect(await eu!.read(`SELECT pk, reason->>'kind' FROM meridian.parked WHERE rel = 'public.${child}'`)).toEqual([
      '["20"] | foreign_key',
    ]);
    await us!.user.query(`INSERT INTO ${parent} VALUES (2, 'again')`);
    expect(await both()).toEqual(['1 | one', '2 | again', '20 | 2 | us']);
  });

  it('a parent that apply relies on cannot be deleted here before its child is in', async () => {
    await family();
    await us!.user.query(`INSERT INTO ${child} VALUES (10, 1, 'us')`);
    await us!.cut();
    const stop = eu!.stopBefore('advance');
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    const deleted = writer.query(`DELETE FROM ${parent} WHERE id = 1`);
    const refused = expect(deleted).rejects.toThrow(/violates foreign key/);
    await eu!.untilWaits(deleted, 'a user');
    stop.go();
    await Promise.all([applied, refused]);
    expect(await both()).toEqual(['1 | one', '2 | two', '10 | 1 | us', '20 | 2 | -']);
  });

  it('a parent that apply deletes gets no child here', async () => {
    await family();
    await us!.user.query(`DELETE FROM ${parent} WHERE id = 1`);
    await us!.cut();
    const stop = eu!.stopBefore('advance');
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    const inserted = writer.query(`INSERT INTO ${child} VALUES (10, 1, 'eu')`);
    const refused = expect(inserted).rejects.toThrow(/violates foreign key/);
    await eu!.untilWaits(inserted, 'a user');
    stop.go();
    await Promise.all([applied, refused]);
    expect(await both()).toEqual(['2 | two', '20 | 2 | -']);
  });
});
