import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

/** What one region's table cannot take waits there, alone, and nothing else does. */
describe('a table that differs in one region', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  let other = '';
  useRegions(['eu', 'us'], async (opened) => {
    [eu, us] = (regions = opened).all;
    other = await regions.items();
  });

  /** us's tick is applied in eu, but for the changes of this table; another table's go through. */
  async function waitsAlone(table: string, inUs: string): Promise<void> {
    await us!.user.query(inUs);
    await us!.user.query(`INSERT INTO ${other} (id) SELECT count(*) FROM ${other}`);
    await us!.cut();
    await eu!.takeFrom(us!);
    expect([...(await eu!.store.waitingTables())]).toEqual([`public.${table}`]);
    expect(await eu!.read(`SELECT count(*) FROM ${other}`)).toEqual(await us!.read(`SELECT count(*) FROM ${other}`));
  }

  async function goesOn(): Promise<void> {
    await eu!.resumeWaiting();
    expect([...(await eu!.store.waitingTables())]).toEqual([]);
    await regions.exchange();
  }

  it('by a unique index on an expression, which no policy knows', async () => {
    const t = await regions.items();
    await eu!.user.query(`CREATE UNIQUE INDEX one_case ON ${t} (lower(x))`);
    await waitsAlone(t, `INSERT INTO ${t} (id, x) VALUES (1, 'a'), (2, 'A')`);
    await eu!.user.query('DROP INDEX one_case');
    await goesOn();
    expect(await regions.equalRows(t)).toEqual(['1 | a |  | 0', '2 | A |  | 0']);
  });

  it('by an index whose rows have to be short', async () => {
    const t = await regions.items();
    await eu!.user.query(`CREATE INDEX short ON ${t} (x)`);
    await waitsAlone(
      t,
      `INSERT INTO ${t} (id, x) SELECT 1, string_agg(md5(n::text), '') FROM generate_series(1, 300) n`,
    );
    await eu!.user.query('DROP INDEX short');
    await goesOn();
    expect(await eu!.read(`SELECT length(x) FROM ${t}`)).toEqual(['9600']);
  });

  it('by a unique key that it has alone: no row vanishes by it, and it goes on when the key is dropped', async () => {
    const t = await regions.items();
    await eu!.user.query(`CREATE UNIQUE INDEX ${t}_x ON ${t} (x)`);
    // Not noticed yet: what does not violate it is applied, what does waits.
    await us!.user.query(`INSERT INTO ${t} (id, x) VALUES (1, 'a')`);
    await regions.exchange();
    await waitsAlone(t, `INSERT INTO ${t} (id, x) VALUES (2, 'a')`);
    await eu!.noticeTables();
    expect(await eu!.waitsBecause(t)).toMatch(
      /it has UNIQUE \(x\), which the regions have not agreed on.*PUT \/v1\/tables/,
    );
    await us!.user.query(`INSERT INTO ${t} (id, x) VALUES (3, 'b')`);
    await regions.exchange();
    await eu!.resumeWaiting();
    expect(await eu!.read(`SELECT id FROM ${t}`)).toEqual(['1']);
    expect(await eu!.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.${t}'`)).toEqual([]);

    await eu!.user.query(`DROP INDEX ${t}_x`);
    await eu!.noticeTables();
    await goesOn();
    expect(await eu!.waitsBecause(t)).toBeNull();
    expect(await regions.equalRows(t)).toEqual(['1 | a |  | 0', '2 | a |  | 0', '3 | b |  | 0']);
  });

  it('waits with a unique key that all have made until they agree on it, and then decides by it everywhere', async () => {
    const t = await regions.items();
    for (const region of regions.all) await region.user.query(`CREATE UNIQUE INDEX ${t}_x ON ${t} (x)`);
    for (const region of regions.all) await region.noticeTables();
    await eu!.user.query(`INSERT INTO ${t} (id, x) VALUES (1, 'a')`);
    nextMillisecond();
    await us!.user.query(`INSERT INTO ${t} (id, x) VALUES (2, 'a'), (3, 'b')`);
    await regions.exchange();
    for (const region of regions.all) expect(await region.waitsBecause(t)).toContain('have not agreed on');
    expect([await eu!.read(`SELECT id FROM ${t}`), await us!.read(`SELECT id FROM ${t}`)]).toEqual([['1'], ['2', '3']]);

    await regions.enrol('SELECT', [t], { columns: { n: 'counter' } });
    for (const region of regions.all) await region.resumeWaiting();
    for (const region of regions.all) expect(await region.waitsBecause(t)).toBeNull();
    expect(await regions.equalRows(t)).toEqual(['1 | a |  | 0', '3 | b |  | 0']);
    expect(await regions.conflicts(t)).toMatchObject([{ pk: '["2"]', kind: 'insert_exists' }]);
    await us!.user.query(`DELETE FROM ${t} WHERE id = 1`);
    expect(await regions.equalRows(t)).toEqual(['2 | a |  | 0', '3 | b |  | 0']);
  });

  it('by a unique key that it alone has dropped', async () => {
    const t = `uniques_${Date.now()}`;
    await regions.enrol(`CREATE TABLE ${t} (id int PRIMARY KEY, x text UNIQUE)`, [t]);
    await eu!.user.query(`ALTER TABLE ${t} DROP CONSTRAINT ${t}_x_key`);
    await eu!.noticeTables();
    await waitsAlone(t, `INSERT INTO ${t} VALUES (1, 'a')`);
    expect(await eu!.waitsBecause(t)).toContain('UNIQUE (x) is missing');
    // Under another name, and the columns in another order, it is the same key.
    await eu!.user.query(`CREATE UNIQUE INDEX ${t}_again ON ${t} (x)`);
    await eu!.noticeTables();
    await goesOn();
    expect(await regions.equalRows(t)).toEqual(['1 | a']);
  });

  it('by a partition that was detached or dropped: the rows to update are not there', async () => {
    const t = `parts_${Date.now()}`;
    await regions.enrol(
      `CREATE TABLE ${t} (id int PRIMARY KEY, x text) PARTITION BY RANGE (id);
       CREATE TABLE ${t}_1 PARTITION OF ${t} FOR VALUES FROM (0) TO (10); CREATE TABLE ${t}_2 PARTITION OF ${t} FOR VALUES FROM (10) TO (20)`,
      [t],
    );
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a'), (11, 'b')`);
    await regions.exchange();
    await eu!.user.query(`ALTER TABLE ${t} DETACH PARTITION ${t}_2`);
    await eu!.noticeTables();
    await waitsAlone(t, `UPDATE ${t} SET x = x || '.'`);
    expect(await eu!.waitsBecause(t)).toMatch(/\["11"\].*the row is not here.*partition was detached/s);
    // It is no part of the table now: what is written to it is nobody else's business.
    await eu!.user.query(`INSERT INTO ${t}_2 VALUES (12, 'of eu alone')`);
    expect(await eu!.cut()).toBeNull();
    await eu!.user.query(
      `DELETE FROM ${t}_2 WHERE id = 12; ALTER TABLE ${t} ATTACH PARTITION ${t}_2 FOR VALUES FROM (10) TO (20)`,
    );
    await eu!.noticeTables();
    await goesOn();
    expect(await regions.equalRows(t)).toEqual(['1 | a.', '11 | b.']);
  });

  it('by a foreign key of its own; and a table whose rows refer to those that wait waits with it, not everybody', async () => {
    await regions.enrol(
      `CREATE TABLE house (id int PRIMARY KEY, x text); CREATE TABLE room (id int PRIMARY KEY, house int REFERENCES house)`,
      ['house', 'room'],
      { delete: 'delete-wins' },
    );
    await us!.user.query(`INSERT INTO house VALUES (1), (2); INSERT INTO room VALUES (1, 1)`);
    await regions.exchange();
    await eu!.user.query('CREATE UNIQUE INDEX one_room ON room (house)');
    await eu!.noticeTables();
    await us!.user.query('INSERT INTO room VALUES (2, 1), (3, 2)');
    await waitsAlone('room', `UPDATE house SET x = 'red'`);
    expect(await eu!.read('SELECT * FROM house')).toEqual(['1 | red', '2 | red']);
    await us!.user.query(
      `DELETE FROM room; DELETE FROM house; INSERT INTO ${other} (id) SELECT 100 + count(*) FROM ${other}`,
    );
    await us!.cut();
    await eu!.takeFrom(us!);
    expect(await eu!.read(`SELECT count(*) FROM ${other}`)).toEqual(await us!.read(`SELECT count(*) FROM ${other}`));
    expect(await eu!.waitsBecause('house')).toContain('public.room waits');
    await eu!.user.query('DROP INDEX one_room');
    await eu!.noticeTables();
    await eu!.resumeWaiting();
    await goesOn();
    expect(await regions.equalRows('house', 'room')).toEqual([]);
  });

  it('by a column that its policy counts by: its writes go on, and a new policy mends it', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a', 'b', 5)`);
    await regions.exchange();
    await eu!.user.query(`ALTER TABLE ${t} DROP COLUMN n`);
    await eu!.user.query(`UPDATE ${t} SET x = 'of eu' WHERE id = 1`);
    await eu!.noticeTables();
    await eu!.user.query(`UPDATE ${t} SET y = 'of eu' WHERE id = 1`);
    expect(await eu!.waitsBecause(t)).toContain('the column "n", which its policy names, is missing');
    await waitsAlone(t, `UPDATE ${t} SET n = n + 1; INSERT INTO ${t} VALUES (2, 'c', 'd', 1)`);
    await us!.user.query(`ALTER TABLE ${t} DROP COLUMN n; INSERT INTO ${t} VALUES (3, 'e', 'f')`);
    await us!.noticeTables();
    await regions.exchange();
    expect(await us!.waitsBecause(t)).toContain('the column "n", which its policy names, is missing');

    await regions.enrol('SELECT', [t]);
    await us!.resumeWaiting();
    await goesOn();
    for (const region of regions.all) expect(await region.waitsBecause(t)).toBeNull();
    expect(await regions.equalRows(t)).toEqual(['1 | of eu | of eu', '2 | c | d', '3 | e | f']);
  });

  it('by a column that it does not have yet: what is written to it meanwhile arrives, contended or not', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a'), (2, 'a')`);
    await regions.exchange();
    await us!.user.query(`ALTER TABLE ${t} ADD COLUMN z int`);
    await eu!.user.query(`UPDATE ${t} SET x = 'of eu' WHERE id = 1`);
    await waitsAlone(t, `UPDATE ${t} SET z = id`);
    expect(await eu!.waitsBecause(t)).toContain('"z"');
    await us!.noticeTables();
    await us!.user.query(`UPDATE ${t} SET z = z + 10 WHERE id = 2`);
    await eu!.user.query(`ALTER TABLE ${t} ADD COLUMN z int; UPDATE ${t} SET z = 100 WHERE id = 2`);
    await regions.exchange();
    await eu!.resumeWaiting();
    await eu!.noticeTables();
    await goesOn();
    expect(await regions.equalRows(t)).toEqual(['1 | of eu |  | 0 | 1', '2 | a |  | 0 | 100']);
  });

  it('by a column that was renamed there first, as it is here later: values and increments arrive under either name', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a'), (2, 'a')`);
    await regions.exchange();
    const write = (region: RealRegion, counter: string, title: string): Promise<unknown> =>
      region.user.query(
        `UPDATE ${t} SET ${counter} = ${counter} + 1; UPDATE ${t} SET ${counter} = ${counter} + 1, ${title} = ${title} || $1 WHERE id = 1`.replace(
          '$1',
          `'.'`,
        ),
      );
    await us!.user.query(`ALTER TABLE ${t} RENAME COLUMN n TO counted; ALTER TABLE ${t} RENAME COLUMN x TO title`);
    await write(us!, 'counted', 'title');
    await write(eu!, 'n', 'x');
    await regions.exchange();
    await us!.noticeTables();
    await us!.resumeWaiting();
    await write(eu!, 'n', 'x');
    await regions.exchange();
    expect(await us!.read(`SELECT id, counted FROM ${t}`)).toEqual(['1 | 6', '2 | 3']);
    await write(us!, 'counted', 'title');
    await regions.exchange();
    expect(await eu!.waitsBecause(t)).toMatch(/"counted"|"title"/);
    await eu!.user.query(`ALTER TABLE ${t} RENAME COLUMN n TO counted; ALTER TABLE ${t} RENAME COLUMN x TO title`);
    await write(eu!, 'counted', 'title');
    await eu!.noticeTables();
    await write(eu!, 'counted', 'title');
    await goesOn();
    const rows = await regions.equalRows(t);
    expect(rows.map((row) => row.split(' | ').at(-1))).toEqual(['12', '6']);
  });

  it('by a column that came and went in another region alone: it goes on without it when the regions agree anew', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a'), (2, 'a')`);
    await regions.exchange();
    await us!.user.query(`ALTER TABLE ${t} ADD COLUMN z int`);
    await waitsAlone(t, `UPDATE ${t} SET z = 5, x = 'b' WHERE id = 1; INSERT INTO ${t} (id, z) VALUES (3, 5)`);
    await us!.user.query(`ALTER TABLE ${t} DROP COLUMN z`);
    await regions.enrol('SELECT', [t], { columns: { n: 'counter' } });
    await goesOn();
    expect(await eu!.waitsBecause(t)).toBeNull();
    expect(await regions.equalRows(t)).toEqual(['1 | b |  | 0', '2 | a |  | 0', '3 |  |  | 0']);
  });

  it('by a column that was added, renamed, of another type, and dropped again, in one region after the other', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'a')`);
    await regions.exchange();
    const write = (column: string): string => `UPDATE ${t} SET ${column} = 7; UPDATE ${t} SET x = x || '.'`;
    await us!.user.query(`ALTER TABLE ${t} ADD COLUMN z int`);
    await us!.user.query(write('z'));
    await us!.noticeTables();
    await us!.user.query(`ALTER TABLE ${t} RENAME COLUMN z TO zz; ALTER TABLE ${t} ALTER COLUMN zz TYPE text`);
    await waitsAlone(t, write('zz'));
    await eu!.user.query(`ALTER TABLE ${t} ADD COLUMN zz text`);
    await eu!.user.query(write('zz'));
    await regions.exchange();
    for (const region of regions.all) await region.user.query(`ALTER TABLE ${t} DROP COLUMN zz`);
    for (const region of regions.all) await region.noticeTables();
    await us!.user.query(`INSERT INTO ${t} VALUES (2, 'b')`);
    await regions.exchange();
    await regions.enrol('SELECT', [t], { columns: { n: 'counter' } });
    for (const region of regions.all) await region.resumeWaiting();
    await goesOn();
    for (const region of regions.all) expect(await region.waitsBecause(t)).toBeNull();
    expect((await regions.equalRows(t))[1]).toBe('2 | b |  | 0');
  });

  it('by a type that is too narrow, until it is widened: bigints arrive, the rows written meanwhile too', async () => {
    const t = await regions.items();
    await us!.user.query(`ALTER TABLE ${t} ADD COLUMN b int`);
    await eu!.user.query(`ALTER TABLE ${t} ADD COLUMN b int; INSERT INTO ${t} (id, b) VALUES (1, 1)`);
    await regions.exchange();
    for (const region of regions.all) await region.noticeTables();
    await us!.user.query(`ALTER TABLE ${t} ALTER COLUMN b TYPE bigint`);
    await waitsAlone(t, `UPDATE ${t} SET b = 5000000000; INSERT INTO ${t} (id, b) VALUES (2, 2)`);
    expect(await eu!.waitsBecause(t)).toContain('out of range');
    await eu!.user.query(`UPDATE ${t} SET x = 'of eu'; ALTER TABLE ${t} ALTER COLUMN b TYPE bigint`);
    await eu!.user.query(`UPDATE ${t} SET y = 'of eu'`);
    await goesOn();
    for (const region of regions.all) await region.noticeTables();
    expect(await regions.equalRows(t)).toEqual(['1 | of eu | of eu | 0 | 5000000000', '2 |  |  | 0 | 2']);
  });

  it('by a table that is not enrolled, with rows that refer to one that another region deletes', async () => {
    const ddl = `CREATE TABLE ledger (id int PRIMARY KEY, x text);
      CREATE TABLE audit (id int PRIMARY KEY, entry int REFERENCES ledger ON DELETE CASCADE)`;
    await regions.enrol(ddl, ['ledger']);
    await us!.user.query(`INSERT INTO ledger VALUES (1), (2), (3)`);
    await regions.exchange();
    await eu!.user.query('INSERT INTO audit VALUES (10, 1)');
    await us!.user.query('DELETE FROM ledger WHERE id = 3');
    await regions.exchange();
    await waitsAlone('ledger', 'DELETE FROM ledger WHERE id IN (1, 2)');
    expect(await eu!.read(`SELECT state, reason FROM meridian.enrolled_table WHERE rel = 'public.ledger'`)).toEqual([
      'waiting | a delete of ["1"] arrived, and public.audit, which is not enrolled, refers to it by "audit_entry_fkey": delete or change its rows here, or enrol public.audit',
    ]);
    expect(await eu!.read('SELECT id FROM ledger')).toEqual(['1', '2']);
    await eu!.resumeWaiting();
    expect([...(await eu!.store.waitingTables())]).toEqual(['public.ledger']);
    await eu!.user.query('DELETE FROM audit');
    await goesOn();
    expect(await regions.equalRows('ledger')).toEqual([]);
  });

  it('by not being there any more: neither its own rows nor its parent’s stop the others', async () => {
    await regions.enrol(
      `CREATE TABLE mother (id int PRIMARY KEY, x text); CREATE TABLE daughter (id int PRIMARY KEY, mother int REFERENCES mother)`,
      ['mother', 'daughter'],
    );
    await us!.user.query(`INSERT INTO mother VALUES (1), (2)`);
    await regions.exchange();
    await eu!.user.query('DROP TABLE daughter');
    await waitsAlone('daughter', 'INSERT INTO daughter VALUES (1, 1)');
    // Its parked rows, and those of a table enrolled no more, keep nobody else's from coming back.
    await eu!.user.query(`INSERT INTO meridian.parked (rel, pk, image, claims, reason) VALUES
      ('public.daughter', '["9"]', '{"id":"9"}', '{}', '{}'), ('public.forgotten', '["9"]', '{"id":"9"}', '{}', '{}')`);
    expect(await eu!.sweep()).toBe(0);
    const tx = await eu!.store.begin();
    expect(await tx.parked()).toEqual([]);
    await tx.rollback();
  });
});
