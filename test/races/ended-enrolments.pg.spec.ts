import { seq } from '@meridian/core';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

/** A table that is un-enrolled, and enrolled again, while a region still writes to it and its ticks are on their way. */
describe('a table whose enrolment has ended', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let other = '';
  useRegions(['ap', 'eu', 'us'], async (opened) => {
    [ap, eu, us] = (regions = opened).all;
    other = await regions.items();
  });

  const everywhere = (sql: string) => Promise.all(regions.all.map(({ user }) => user.query(sql)));
  const unenrol = (table: string) => Promise.all(regions.all.map((region) => region.unenrol(table)));
  const enrolAnew = (table: string, epoch: number, policy: object = { columns: { n: 'counter' } }) =>
    Promise.all(regions.all.map((region) => region.enrol(table, policy, { epoch, ended: epoch - 1 })));

  async function withRow(): Promise<string> {
    const table = await regions.items();
    await us!.user.query(`INSERT INTO ${table} (id, x) VALUES (1, 'base')`);
    await regions.equalRows(table);
    return table;
  }

  it('lets late changes pass, into the log and no table, and stops no other table', async () => {
    const t = await withRow();
    await eu!.unenrol(t);
    await us!.user.query(`UPDATE ${t} SET n = n + 1; INSERT INTO ${other} (id) VALUES (1)`);
    await us!.cut();
    await eu!.takeFrom(us!);
    expect(await eu!.read(`SELECT id FROM ${other}`)).toEqual(['1']);
    expect(await eu!.read(`SELECT n FROM ${t}`)).toEqual(['0']);
    expect(eu!.passed).toBe(1);
    expect(await eu!.read(`SELECT op, epoch FROM meridian.change WHERE rel = 'public.${t}' AND op = 'u'`)).toEqual([
      'u | 1',
    ]);
    // A peer that was away gets them from here, as they were cut.
    const again = await eu!.ticks.readTicks(us!.name, seq(us!.lastShipped), { ticks: 1, changes: 100 });
    expect(again[0]!.changes.map((c) => c.table)).toContain(`public.${t}`);
  });

  it('is enrolled anew beside its late ticks: they are in the rows that were compared, and are not added again (I7)', async () => {
    const t = await withRow();
    await us!.user.query(`UPDATE ${t} SET n = n + 1, x = 'late'`);
    const late = await us!.cut();
    await unenrol(t);
    await everywhere(`UPDATE ${t} SET n = 10, x = 'compared'`);
    await enrolAnew(t, 2);
    await eu!.user.query(`UPDATE ${t} SET n = n + 100, x = 'new'`);
    await us!.user.query(`UPDATE ${t} SET n = n + 1000`);
    expect(late!.changes[0]!.epoch).toBe(1);
    expect(await regions.equalRows(t)).toEqual(['1 | new |  | 1110']);
    expect(await regions.conflicts(t)).toEqual([]);
  });

  it('is enrolled anew in a region that never un-enrolled it, too, and there nothing old is applied either', async () => {
    const t = await withRow();
    await us!.user.query(`UPDATE ${t} SET n = n + 1`);
    await us!.cut();
    await eu!.unenrol(t);
    await everywhere(`UPDATE ${t} SET n = 5`);
    await enrolAnew(t, 2);
    await ap!.user.query(`UPDATE ${t} SET n = n + 1`);
    expect(await regions.equalRows(t)).toEqual(['1 | base |  | 6']);
  });

  it('is waited for by ticks of an enrolment that is still on its way, and goes on when that is in', async () => {
    const t = await withRow();
    await unenrol(t);
    await us!.enrol(t, { columns: { n: 'counter' } }, { epoch: 2, ended: 1 });
    await us!.user.query(`UPDATE ${t} SET n = n + 1`);
    await us!.cut();
    await eu!.takeFrom(us!);
    expect(await eu!.read(`SELECT n FROM ${t}`)).toEqual(['0']);
    await eu!.enrol(t, { columns: { n: 'counter' } }, { epoch: 2, ended: 1 });
    await eu!.takeFrom(us!);
    expect(await eu!.read(`SELECT n FROM ${t}`)).toEqual(['1']);
    await ap!.enrol(t, { columns: { n: 'counter' } }, { epoch: 2, ended: 1 });
    expect(await regions.equalRows(t)).toEqual(['1 | base |  | 1']);
  });

  it('may be dropped and made anew under its name, as another table', async () => {
    const t = await withRow();
    await us!.user.query(`INSERT INTO ${t} (id, y) VALUES (7, 'of the old table'); UPDATE ${t} SET n = n + 1`);
    await us!.user.query(`UPDATE ${t} SET n = n + 1`);
    const late = await us!.cut();
    await unenrol(t);
    await everywhere(`DROP TABLE ${t}; CREATE TABLE ${t} (id int PRIMARY KEY, n text)`);
    await enrolAnew(t, 2, {});
    await us!.user.query(`INSERT INTO ${t} VALUES (7, 'new'); UPDATE ${t} SET n = 'newer'`);
    expect(await regions.equalRows(t)).toEqual(['7 | newer']);
    // Made again as it was cut, by the counters of then (I5).
    const [again] = await us!.ticks.readTicks(us!.name, late!.seq, { ticks: 1, changes: 100 });
    expect(again!.digest).toBe(late!.digest);
  });

  it('is no longer written to by a batch that was decided before it was enrolled anew (I2)', async () => {
    const t = await withRow();
    await us!.user.query(`UPDATE ${t} SET n = n + 1`);
    await us!.cut();
    eu!.receive(us!);
    const stop = eu!.stopBefore('hold');
    const applying = eu!.apply();
    await stop.reachedBy(applying);
    await unenrol(t);
    await everywhere(`UPDATE ${t} SET n = 1`);
    await enrolAnew(t, 2);
    stop.go();
    await applying;
    expect(await eu!.read(`SELECT n FROM ${t}`)).toEqual(['1']);
    expect(await regions.equalRows(t)).toEqual(['1 | base |  | 1']);
  });

  it('keeps no row parked that the next enrolment has not compared', async () => {
    const t = await regions.items();
    await unenrol(t);
    await everywhere(`ALTER TABLE ${t} ADD UNIQUE (x)`);
    await enrolAnew(t, 2);
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'same')`);
    await eu!.user.query(`INSERT INTO ${t} VALUES (2, 'same')`);
    await regions.equalRows(t);
    expect(await eu!.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.${t}'`)).toEqual(['["2"]']);
    await unenrol(t);
    await everywhere(`DELETE FROM ${t}`);
    await enrolAnew(t, 3);
    expect(await regions.equalRows(t)).toEqual([]);
    expect((await regions.conflicts(t)).map(({ loser }) => loser.origin)).toEqual(['eu']);
  });
});
