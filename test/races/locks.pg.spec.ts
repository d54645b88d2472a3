import type { Client } from 'pg';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

describe('apply and the locks of others', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  let writer: Client;
  useRegions(['eu', 'us'], async (opened) => {
    [eu, us] = (regions = opened).all;
    writer = await eu!.connect();
  });
  beforeEach(() => void (eu!.retries.length = 0));

  const items = async (): Promise<string> => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 10), (2, '-', '-', 10)`);
    await regions.exchange();
    return t;
  };

  /** eu's apply waits for row 1, which a prepared transaction of this name has written. */
  async function heldUpBy(gid: string, t: string): Promise<{ readonly applied: Promise<void> }> {
    await writer.query(`BEGIN; UPDATE ${t} SET x = 'eu', n = n + 3 WHERE id = 1; PREPARE TRANSACTION '${gid}'`);
    await us!.user.query(`UPDATE ${t} SET x = 'us', n = n + 5`);
    await us!.cut();
    const applied = eu!.takeFrom(us!);
    await eu!.untilWaits(applied);
    return { applied };
  }

  it('I2, I7: a row deleted and inserted anew while apply waits for it is held, and decided with both of them', async () => {
    const t = await items();
    await writer.query(`BEGIN; DELETE FROM ${t} WHERE id = 1; INSERT INTO ${t} VALUES (1, 'anew', '-', 3)`);
    await us!.user.query(`UPDATE ${t} SET y = 'us', n = n + 5 WHERE id = 1`);
    await us!.cut();
    const stop = eu!.stopBefore('write');
    const applied = eu!.takeFrom(us!);
    await eu!.untilWaits(applied);
    await writer.query('COMMIT');
    await stop.reachedBy(applied);
    await expect(writer.query(`SELECT FROM ${t} WHERE id = 1 FOR UPDATE NOWAIT`)).rejects.toThrow(/could not obtain/);
    stop.go();
    await applied;
    expect(await regions.equalRows(t)).toEqual(['1 | anew | us | 8', '2 | - | - | 10']);
  });

  it('I7: a prepared and forgotten transaction is told by its name, keeps nobody from writing, and is never ended', async () => {
    const t = await items();
    const { applied } = await heldUpBy('forgotten', t);
    expect(await eu!.store.blockers()).toMatchObject([{ kind: 'prepared', gid: 'forgotten' }]);
    // The second row is apply's now and then only; users who want it are through between two attempts.
    await eu!.user.query(`UPDATE ${t} SET n = n + 1 WHERE id = 2`);
    expect((await eu!.cut())!.changes).toHaveLength(1);
    while (!eu!.retries.includes('lock timeout')) await eu!.untilWaits(applied);
    await eu!.user.query(`COMMIT PREPARED 'forgotten'`);
    await applied;
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 18', '2 | us | - | 16']);
    expect(await regions.conflicts(t)).toMatchObject([{ region: 'eu', pk: '["1"]', kind: 'update_origin_differs' }]);
  });

  it('I7: a prepared transaction that is rolled back leaves nothing behind', async () => {
    const t = await items();
    const { applied } = await heldUpBy('regretted', t);
    await eu!.user.query(`ROLLBACK PREPARED 'regretted'`);
    await applied;
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 15', '2 | us | - | 15']);
    expect(await regions.conflicts(t)).toEqual([]);
  });

  it('a user who would deadlock with apply goes on: apply gives way', async () => {
    const t = await items();
    await writer.query(`BEGIN; UPDATE ${t} SET x = 'eu' WHERE id = 2`);
    await us!.user.query(`UPDATE ${t} SET y = 'us', n = n + 5`);
    await us!.cut();
    // Holds row 1, and waits for row 2; the writer then waits for row 1.
    const applied = eu!.takeFrom(us!);
    await eu!.untilWaits(applied);
    await writer.query(`UPDATE ${t} SET x = 'eu' WHERE id = 1; COMMIT`);
    await applied;
    expect(await regions.equalRows(t)).toEqual(['1 | eu | us | 15', '2 | eu | us | 15']);
  });

  it.each(['hold', 'write', 'append', 'advance', 'takeCutLock', 'lookAgain', 'commit'] as const)(
    'I1, I7: two appliers at once, the first one standing before %s: one of them applies, once',
    async (step) => {
      const t = await items();
      await us!.user.query(`UPDATE ${t} SET n = n + 5; INSERT INTO ${t} VALUES (3, 'us', '-', 1)`);
      const tick = (await us!.cut())!;
      const second = await eu!.secondApplier();
      const stop = eu!.stopBefore(step);
      const applied = eu!.takeFrom(us!);
      await stop.reachedBy(applied);
      const other = second.apply([tick]);
      if (step === 'hold') await other;
      else await eu!.untilWaits(other, 'second applier');
      stop.go();
      await applied;
      expect(await other).toBe(step === 'hold' ? 'applied' : 'overtaken');
      await second.close();
      expect(await eu!.position(us!)).toBe(us!.lastShipped);
      expect(await regions.equalRows(t)).toEqual(['1 | - | - | 15', '2 | - | - | 15', '3 | us | - | 1']);
    },
  );

  it('I1: two appliers of a tick that holds no row: the vector alone tells them apart', async () => {
    const t = await items();
    await us!.user.query(`INSERT INTO ${t} VALUES (3, 'us', '-', 1); DELETE FROM ${t} WHERE id = 3`);
    const tick = (await us!.cut())!;
    const second = await eu!.secondApplier();
    const stop = eu!.stopBefore('hold');
    const applied = eu!.takeFrom(us!);
    await stop.reachedBy(applied);
    expect(await second.apply([tick])).toBe('applied');
    stop.go();
    await applied;
    await second.close();
    expect(await eu!.read(`SELECT count(*) FROM meridian.change WHERE rel = 'public.${t}' AND origin = 'us'`)).toEqual([
      '4',
    ]);
    expect(await regions.equalRows(t)).toEqual(['1 | - | - | 10', '2 | - | - | 10']);
  });
});
