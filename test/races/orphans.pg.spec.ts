import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';
import type { RealRegion } from './real-region.js';

/** What becomes of a row whose parent was deleted beside it (ADR 22). */
describe('a child whose parent is gone', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let made = 0;
  let [orders, items] = ['', ''];
  useRegions(['ap', 'eu', 'us'], (opened) => ([ap, eu, us] = (regions = opened).all));

  async function shop(policy: string, onDelete = ''): Promise<void> {
    [orders, items] = [`orders_${++made}`, `items_${made}`];
    const ddl = `CREATE TABLE ${orders} (id int PRIMARY KEY, v text);
      CREATE TABLE ${items} (id int PRIMARY KEY, order_id int REFERENCES ${orders} ${onDelete}, v text)`;
    await regions.enrol(ddl, [orders]);
    await regions.enrol('', [items], { foreignKeys: policy });
    await write(us!, `INSERT INTO ${orders} VALUES (1, 'old'); INSERT INTO ${items} VALUES (10, 1, 'old')`);
    await regions.exchange();
  }
  async function write(region: RealRegion, sql: string): Promise<void> {
    await region.user.query(sql);
    nextMillisecond();
  }
  const both = (): Promise<string[]> => regions.equalRows(orders, items);
  const parkedItems = (region: RealRegion): Promise<string[]> =>
    region.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.${items}'`);

  const ENDS = [
    ['restore', ['1 | old', '20 | 1 | new'], []],
    ['park', [], ['["20"]']],
    ['null', ['20 |  | new'], []],
    ['cascade', [], []],
  ] as const;
  it.each(ENDS.flatMap((end) => (['us', 'eu'] as const).map((first) => [...end, first] as const)))(
    'I2: %s, beside ON DELETE CASCADE in another region: %j shows, %j is parked; %s arrives first',
    async (policy, shown, parked, first) => {
      await shop(policy, 'ON DELETE CASCADE');
      await write(us!, `DELETE FROM ${orders} WHERE id = 1`);
      await write(eu!, `INSERT INTO ${items} VALUES (20, 1, 'new')`);
      for (const name of [first, first === 'us' ? 'eu' : 'us']) {
        await regions.named(name).cut();
        await ap!.takeFrom(regions.named(name));
        await ap!.sweep();
      }
      expect(await both()).toEqual([...shown]);
      expect(await parkedItems(ap!)).toEqual([...parked]);
      const records = (await regions.conflicts(items)).filter((r) => r.kind === 'foreign_key_missing');
      const ends = { restore: [], park: ['open'], null: ['resolved'], cascade: ['resolved'] };
      expect(records.map((r) => [r.region, r.status])).toEqual(ends[policy].map((status) => ['eu', status]));
    },
  );

  it('I2, I3: the record of a child that followed has all of it, and one that lost its reference what it was', async () => {
    await shop('cascade', 'ON DELETE CASCADE');
    await write(us!, `DELETE FROM ${orders}`);
    await write(eu!, `INSERT INTO ${items} VALUES (20, 1, 'new')`);
    await both();
    expect(await regions.conflicts(items)).toMatchObject([
      {
        ...{ base: { id: '20', order_id: '1', v: 'new' }, result: null },
        reason: `public.${orders} ["1"], to which ${items}_order_id_fkey refers, is deleted: by the policy the row is deleted`,
      },
    ]);
    await shop('null', 'ON DELETE CASCADE');
    await write(us!, `DELETE FROM ${orders}`);
    await write(eu!, `UPDATE ${items} SET v = 'kept'`);
    expect(await both()).toEqual(['10 |  | kept']);
  });

  it('I2: nothing is done to a child whose parent is parked, or comes back before', async () => {
    [orders, items] = [`orders_${++made}`, `items_${made}`];
    const ddl = `CREATE TABLE ${orders} (id int PRIMARY KEY, number int UNIQUE);
      CREATE TABLE ${items} (id int PRIMARY KEY, order_id int NOT NULL REFERENCES ${orders}, v text)`;
    await regions.enrol(ddl, [orders]);
    await regions.enrol('', [items], { foreignKeys: 'cascade' });
    await write(us!, `INSERT INTO ${orders} VALUES (1, 7)`);
    await write(eu!, `INSERT INTO ${orders} VALUES (2, 7); INSERT INTO ${items} VALUES (20, 2, 'new')`);
    expect(await both()).toEqual(['1 | 7']);
    expect(await parkedItems(eu!)).toEqual(['["20"]']);
    await write(ap!, `DELETE FROM ${orders}`);
    expect(await both()).toEqual(['2 | 7', '20 | 2 | new']);
  });

  it('I2: a parent that comes back after its children lost it stays without them', async () => {
    await shop('null', 'ON DELETE SET NULL');
    await write(us!, `DELETE FROM ${orders}`);
    await write(eu!, `INSERT INTO ${items} VALUES (20, 1, 'new')`);
    for (const region of [us!, eu!]) await region.cut();
    await eu!.takeFrom(us!);
    await eu!.sweep();
    expect(await eu!.read(`SELECT * FROM ${items}`)).toEqual(['10 |  | old', '20 |  | new']);
    await write(ap!, `UPDATE ${orders} SET v = 'restored'`);
    expect(await both()).toEqual(['1 | restored', '10 |  | old', '20 |  | new']);
  });

  it('I2: rows that refer to themselves, and circles, end as well', async () => {
    const people = `people_${++made}`;
    const ddl = `CREATE TABLE ${people} (id int PRIMARY KEY, boss int REFERENCES ${people} ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, v text)`;
    await regions.enrol(ddl, [people], { foreignKeys: 'cascade' });
    await write(us!, `INSERT INTO ${people} VALUES (1, 1), (2, 3), (3, 2), (4, 3)`);
    await regions.exchange();
    await write(us!, `DELETE FROM ${people} WHERE id IN (1, 2)`);
    await write(eu!, `UPDATE ${people} SET v = 'kept' WHERE id IN (1, 4)`);
    // 1 is its own boss, and its update restores it; 4 is restored, and its boss is not.
    expect(await regions.equalRows(people)).toEqual(['1 | 1 | kept']);
  });

  it('I2: of a composite key only what can be NULL becomes so', async () => {
    const [tenants, notes] = [`tenants_${++made}`, `notes_${made}`];
    const ddl = `CREATE TABLE ${tenants} (tenant int, id int, PRIMARY KEY (tenant, id));
      CREATE TABLE ${notes} (id int PRIMARY KEY, tenant int NOT NULL, ref int, FOREIGN KEY (tenant, ref) REFERENCES ${tenants})`;
    await regions.enrol(ddl, [tenants]);
    await regions.enrol('', [notes], { foreignKeys: 'null' });
    await write(us!, `INSERT INTO ${tenants} VALUES (1, 1)`);
    await regions.exchange();
    await write(us!, `DELETE FROM ${tenants}`);
    await write(eu!, `INSERT INTO ${notes} VALUES (5, 1, 1), (6, 1, NULL)`);
    expect(await regions.equalRows(tenants, notes)).toEqual(['5 | 1 | ', '6 | 1 | ']);
  });

  it('I2: a parent that was kept under the policy of before stays kept under another', async () => {
    await shop('restore', 'ON DELETE CASCADE');
    await write(eu!, `INSERT INTO ${items} VALUES (20, 1, 'touches')`);
    await regions.enrol('', [items], { foreignKeys: 'cascade' });
    await write(us!, `DELETE FROM ${orders}`);
    expect(await both()).toEqual(['1 | old', '20 | 1 | touches']);
    await write(us!, `DELETE FROM ${orders}`);
    await write(eu!, `INSERT INTO ${items} VALUES (30, 1, 'touches nothing')`);
    expect(await both()).toEqual([]);
  });
});
