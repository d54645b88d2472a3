import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';
import type { RealRegion } from './real-region.js';

/** What becomes of a row that lost a unique value to one with the earlier claim (ADR 22). */
describe('the loser of a unique key', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let made = 0;
  let table = '';
  useRegions(['ap', 'eu', 'us'], (opened) => ([ap, eu, us] = (regions = opened).all));

  async function customers(policy: object, columns = 'email varchar(40) UNIQUE, v text'): Promise<void> {
    table = `customers_${++made}`;
    await regions.enrol(`CREATE TABLE ${table} (id int PRIMARY KEY, ${columns})`, [table], policy);
  }
  async function write(region: RealRegion, sql: string): Promise<void> {
    await region.user.query(sql.replaceAll(' @ ', ` ${table} `));
    nextMillisecond();
  }
  const rows = (): Promise<string[]> => regions.equalRows(table);
  const parked = (region: RealRegion): Promise<string[]> =>
    region.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.${table}'`);
  const actors = (): Promise<string[]> =>
    us!.read(
      `SELECT DISTINCT origin || ' ' || op::text || ' ' || actor FROM meridian.change WHERE rel = $1 AND actor = 'meridian'`,
      [`public.${table}`],
    );

  const RENAME = { policy: 'rename', template: '{value} ({region})' };

  it.each([
    ['the earlier claim arrives second', ['us', 'eu']],
    ['the earlier claim arrives first', ['eu', 'us']],
  ] as const)('I2, I3: is renamed by the region whose write lost: %s', async (_, order) => {
    await customers({ unique: RENAME });
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x', 'first')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a@x', 'second')`);
    for (const name of order) {
      await regions.named(name).cut();
      await ap!.takeFrom(regions.named(name));
      await ap!.sweep();
    }
    // It is not ap's write: it stays parked here until us has done it.
    expect(await parked(ap!)).toEqual(['["2"]']);
    expect(await rows()).toEqual(['1 | a@x | first', '2 | a@x (us) | second']);
    expect(await actors()).toEqual(['us u meridian']);
    expect(await regions.conflicts(table)).toMatchObject([
      {
        ...{ kind: 'insert_exists', region: 'us', status: 'resolved', base: { email: 'a@x' } },
        reason: `a@x (${table}_email_key) was taken by public.${table} ["1"] with the earlier claim: email is renamed to a@x (us)`,
        overwritten: [{ columns: ['email'], policy: 'rename', lost: { email: 'a@x' }, result: { email: 'a@x (us)' } }],
      },
    ]);
    // A fact: the key that is free again gives it back to nobody.
    await write(ap!, 'DELETE FROM @ WHERE id = 1');
    expect(await rows()).toEqual(['2 | a@x (us) | second']);
  });

  it('I2: two losers of one region, and a name that is taken as well, are told apart by a number', async () => {
    await customers({ unique: { policy: 'rename', template: '{value}-{region}' } });
    await write(eu!, `INSERT INTO @ VALUES (1, 'a'), (4, 'a-us')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a'), (5, 'b')`);
    await write(us!, `UPDATE @ SET email = 'c' WHERE id = 2; INSERT INTO @ VALUES (3, 'a')`);
    await write(us!, `UPDATE @ SET email = 'a-us' WHERE id = 5`);
    expect(await rows()).toEqual(['1 | a | ', '2 | c | ', '3 | a-us 2 | ', '4 | a-us | ', '5 | a-us-us | ']);
  });

  it('I2: what does not fit the column is cut off the value', async () => {
    await customers({ unique: { policy: 'rename', template: '{value}/{key}' } });
    const long = 'x'.repeat(40);
    await write(eu!, `INSERT INTO @ VALUES (1, '${long}')`);
    await write(us!, `INSERT INTO @ VALUES (22, '${long}')`);
    expect(await rows()).toEqual([`1 | ${long} | `, `22 | ${'x'.repeat(37)}/22 | `]);
  });

  it('I2, I3: has NULL, and goes on taking changes from all regions meanwhile', async () => {
    await customers({ unique: 'null' });
    await write(us!, `INSERT INTO @ VALUES (2)`);
    await regions.exchange();
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x')`);
    await write(us!, `UPDATE @ SET email = 'a@x' WHERE id = 2`);
    await write(ap!, `UPDATE @ SET v = 'of ap' WHERE id = 2`);
    expect(await rows()).toEqual(['1 | a@x | ', '2 |  | of ap']);
    expect(await regions.conflicts(table)).toMatchObject([
      { kind: 'update_exists', status: 'resolved', reason: expect.stringContaining('email is NULL') as string },
    ]);
  });

  it('I2, I3: is deleted, and its record has all of it', async () => {
    await customers({ unique: { [`customers_${made + 1}_email_key`]: 'delete' } });
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x', 'first')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a@x', 'second')`);
    expect(await rows()).toEqual(['1 | a@x | first']);
    expect(await parked(ap!)).toEqual([]);
    expect(await actors()).toEqual(['us d meridian']);
    expect(await regions.conflicts(table)).toMatchObject([
      {
        ...{ kind: 'insert_exists', region: 'us', status: 'resolved', result: null },
        base: { id: '2', email: 'a@x', v: 'second' },
        reason: expect.stringContaining('by the policy the row is deleted') as string,
      },
    ]);
  });

  it('I2: is restored by an update beside the delete, and loses again', async () => {
    await customers({ unique: 'delete' });
    await write(us!, `INSERT INTO @ VALUES (2, 'b@x', 'old')`);
    await regions.exchange();
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x')`);
    await write(us!, `UPDATE @ SET email = 'a@x' WHERE id = 2`);
    await eu!.cut();
    await us!.takeFrom(eu!);
    await us!.sweep();
    expect(await us!.read(`SELECT id FROM ${table}`)).toEqual(['1']);
    await write(ap!, `UPDATE @ SET v = 'of ap' WHERE id = 2`);
    expect(await rows()).toEqual(['1 | a@x | ']);
    const records = await regions.conflicts(table);
    expect(records.filter((r) => r.overwritten[0]?.policy === 'delete')).toMatchObject([
      { status: 'resolved', base: { v: 'of ap' } },
    ]);
  });

  it('I2, I3: of several keys stays parked where one says so, and the record names all rows it lost to', async () => {
    const columns = 'email text UNIQUE, nick text UNIQUE';
    await customers({ unique: { [`customers_${made + 1}_email_key`]: RENAME } }, columns);
    await write(eu!, `INSERT INTO @ VALUES (1, 'a', 'x'), (3, 'b', 'y')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a', 'y')`);
    expect(await rows()).toEqual(['1 | a | x', '3 | b | y']);
    const [record] = await regions.conflicts(table);
    expect(record).toMatchObject({ kind: 'multiple_unique_conflicts', status: 'open', region: 'us' });
    expect(record!.reason).toContain(`["1"] has the earlier claim on ${table}_email_key, public.${table} ["3"] has`);
    expect(record!.versions.map((v) => v.values['id'])).toEqual(['2', '1', '3']);
  });

  it('I2, I3: of several keys changes in all of them at once', async () => {
    await customers({ unique: RENAME }, 'email text UNIQUE, nick text UNIQUE');
    await write(eu!, `INSERT INTO @ VALUES (1, 'a', 'x'), (3, 'b', 'y')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a', 'y')`);
    expect(await rows()).toEqual(['1 | a | x', '2 | a (us) | y (us)', '3 | b | y']);
    expect(await regions.conflicts(table)).toMatchObject([
      {
        kind: 'multiple_unique_conflicts',
        status: 'resolved',
        overwritten: [{ columns: ['email'] }, { columns: ['nick'] }],
      },
    ]);
  });

  it('I2: a local insert of its key comes before or after the delete of it, never beside', async () => {
    await customers({ unique: 'delete' });
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a@x', 'lost')`);
    await eu!.cut();
    await us!.takeFrom(eu!);
    expect(await parked(us!)).toEqual(['["2"]']);
    // Uncommitted, with a lower number in the log than the delete would have.
    const writer = await us!.connect();
    await writer.query(`BEGIN; INSERT INTO ${table} VALUES (2, 'b@x', 'anew')`);
    expect(await us!.sweep()).toBe(0);
    await writer.query('COMMIT');
    expect(await rows()).toEqual(['1 | a@x | ', '2 | b@x | anew']);
    expect(await actors()).toEqual([]);
  });

  it('I2: a policy may change while rows are parked: from then on they end by it', async () => {
    await customers({});
    await write(eu!, `INSERT INTO @ VALUES (1, 'a@x')`);
    await write(us!, `INSERT INTO @ VALUES (2, 'a@x')`);
    expect(await rows()).toEqual(['1 | a@x | ']);
    await regions.enrol('', [table], { unique: RENAME });
    expect(await rows()).toEqual(['1 | a@x | ', '2 | a@x (us) | ']);
  });
});
