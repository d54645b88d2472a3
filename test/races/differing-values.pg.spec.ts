import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

/** As differing-tables.pg.spec.ts, of values that one region's types do not take. */
describe('a value that one region’s types do not take', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  useRegions(['eu', 'us'], (opened) => ([eu, us] = (regions = opened).all));

  async function waitsUntil(table: string, inUs: string, mendedInEu: string): Promise<string[]> {
    const other = await regions.items();
    await us!.user.query(inUs);
    await us!.user.query(`INSERT INTO ${other} (id) VALUES (1)`);
    await us!.cut();
    await eu!.takeFrom(us!);
    expect([...(await eu!.store.waitingTables())]).toEqual([`public.${table}`]);
    expect(await eu!.read(`SELECT id FROM ${other}`)).toEqual(['1']);
    await eu!.user.query(mendedInEu);
    await eu!.resumeWaiting();
    expect([...(await eu!.store.waitingTables())]).toEqual([]);
    return regions.equalRows(table);
  }

  it('by a label that its enum lacks waits alone, and goes on when the label is there', async () => {
    await regions.enrol(
      `CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE moods (id int PRIMARY KEY, mood mood, more mood[])`,
      ['moods'],
    );
    await us!.user.query(`ALTER TYPE mood ADD VALUE 'glad'`);
    const rows = await waitsUntil(
      'moods',
      `INSERT INTO moods VALUES (1, 'sad', '{glad}'), (2, 'glad', NULL)`,
      `ALTER TYPE mood ADD VALUE 'glad'`,
    );
    expect(rows).toEqual(['1 | sad | {glad}', '2 | glad | ']);
  });

  it('by a domain that is stricter waits alone, and goes on when it is as elsewhere', async () => {
    await regions.enrol('CREATE DOMAIN level AS int; CREATE TABLE levels (id int PRIMARY KEY, level level)', [
      'levels',
    ]);
    await eu!.user.query('ALTER DOMAIN level ADD CONSTRAINT low CHECK (VALUE < 5)');
    const inUs =
      'INSERT INTO levels VALUES (1, 1); INSERT INTO levels VALUES (2, 9); UPDATE levels SET level = 8 WHERE id = 1';
    const rows = await waitsUntil('levels', inUs, 'ALTER DOMAIN level DROP CONSTRAINT low');
    expect(rows).toEqual(['1 | 8', '2 | 9']);
  });
});
