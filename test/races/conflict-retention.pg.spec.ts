import { stableCut } from '@meridian/core';
import { ConflictRetention, createRowsPool, PgConflictDesk } from '@meridian/postgres';
import type { Pool } from 'pg';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

const DAY_MS = 86_400_000;
const ANN = { actor: 'ann', version: null };
const ACCEPT = { choice: { kind: 'accept' }, note: null } as const;

describe('conflict records that are closed for long', () => {
  let regions: RealRegions;
  const pools = new Map<RealRegion, Pool>();
  useRegions(['ap', 'eu', 'us'], (opened) => {
    regions = opened;
    for (const region of opened.all)
      pools.set(region, createRowsPool({ url: region.url, max: 4, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 }));
  });
  afterAll(() => Promise.all([...pools.values()].map((pool) => pool.end())));

  const named = (name: string): RealRegion => regions.named(name);
  const desk = (region: RealRegion) => new PgConflictDesk(pools.get(region)!, region.name);
  /** A whole pass of a region's upkeep. Of a thousandth of a second ago is long enough when nothing is said. */
  const forget = async (region: RealRegion, keepMs = 1): Promise<number> => {
    nextMillisecond();
    const retention = new ConflictRetention(pools.get(region)!, region.name, keepMs);
    const members = regions.all.map(({ name }) => name);
    let forgotten = 0;
    for (let more = true; more;) {
      const step = await retention.step(stableCut(members, await region.ticks.lastDeps()));
      forgotten += step.forgotten;
      ({ more } = step);
    }
    return forgotten;
  };
  /** Everybody has heard that everybody has everything. */
  const settle = async (): Promise<void> => {
    await regions.exchange();
    for (let round = 0; round < 2; round++) {
      for (const region of regions.all) await region.cut(true);
      for (const to of regions.all) for (const from of regions.all) if (from !== to) await to.takeFrom(from);
    }
  };
  /** eu's rows are overwritten by us's. */
  const conflicts = async (count: number): Promise<{ readonly t: string; readonly ids: readonly string[] }> => {
    const t = await regions.items();
    await named('eu').user.query(`INSERT INTO ${t} SELECT g, '-', '-', 0 FROM generate_series(1, ${count}) g`);
    await regions.exchange();
    await named('eu').user.query(`UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await named('us').user.query(`UPDATE ${t} SET x = 'us'`);
    await regions.exchange();
    return { t, ids: await idsOf(named('eu'), t) };
  };
  const idsOf = (region: RealRegion, t: string): Promise<string[]> =>
    region.read('SELECT id FROM meridian.conflict WHERE rel = $1', [`public.${t}`]);
  const rest = (region: RealRegion): Promise<string[]> =>
    region.read(`SELECT conflict FROM meridian.decision UNION ALL SELECT conflict FROM meridian.triage`);

  it('go away in all regions, with what was decided and noted of them; open ones stay', async () => {
    const { t, ids } = await conflicts(3);
    const [decided, noted, open] = ids as [string, string, string];
    await desk(named('us')).resolve(decided, ACCEPT, ANN);
    await desk(named('eu')).triage(noted, 'note', 'look at it', ANN);
    await desk(named('ap')).triage(decided, 'note', 'done', ANN);
    await settle();
    expect(await forget(named('eu'), DAY_MS)).toBe(0);
    // Each region lets go of its own.
    expect(await forget(named('us'))).toBe(0);
    expect(await forget(named('eu'))).toBe(1);
    await settle();
    for (const region of regions.all) {
      expect(await idsOf(region, t)).toEqual([noted, open].sort());
      expect(await rest(region)).toEqual([noted]);
      expect(await region.read('SELECT conflict FROM meridian.open_conflict')).toEqual([noted, open].sort());
    }
  });

  it('go page by page', async () => {
    const { t, ids } = await conflicts(1_203);
    await named('eu').user.query(
      `INSERT INTO meridian.decision SELECT id, 'accept', NULL, NULL, 'ann', 'eu', NULL, now(), created_at FROM meridian.conflict WHERE id = ANY ($1)`,
      [ids],
    );
    await settle();
    expect(await forget(named('eu'))).toBe(1_203);
    await settle();
    for (const region of regions.all) expect(await idsOf(region, t)).toEqual([]);
  });

  it('stay while a write beside the overwritten one may still arrive, and follow it: none comes back that was gone', async () => {
    const t = await regions.items();
    await named('eu').user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 0)`);
    await regions.exchange();
    await named('eu').user.query(`UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await named('us').user.query(`UPDATE ${t} SET x = 'us'`);
    nextMillisecond();
    // Nobody hears of ap, and ap of nobody.
    await named('ap').user.query(`UPDATE ${t} SET x = 'ap'`);
    for (let round = 0; round < 3; round++) {
      for (const name of ['eu', 'us']) await named(name).cut(true);
      await named('eu').takeFrom(named('us'));
      await named('us').takeFrom(named('eu'));
    }
    const [id] = (await idsOf(named('eu'), t)) as [string];
    await desk(named('eu')).resolve(id, ACCEPT, ANN);
    expect(await forget(named('eu'))).toBe(0);
    await settle();
    // The late write has won: the record tells of it, and is decided as it was.
    expect(
      await named('eu').read(`SELECT overwritten -> 0 -> 'winner' ->> 'origin' FROM meridian.conflict WHERE id = $1`, [
        id,
      ]),
    ).toEqual(['ap']);
    expect(await forget(named('eu'))).toBe(1);
    await settle();
    for (const region of regions.all) expect(await idsOf(region, t)).not.toContain(id);
    // us's write, which nobody has decided, lost to ap's: it stays.
    expect(await idsOf(named('us'), t)).toHaveLength(1);
  });
});
