import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

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
