import { allCaughtUp } from '../candidates/regions.js';
import { CLIENTS } from '../measure/load-everywhere.js';
import { pgbench } from '../measure/pgbench.js';
import { REPLICATING, type Scenario } from './scenario.js';

const incrementsIn = (regions: number): Scenario => ({
  id: 7,
  name: `increments, ${regions} regions`,
  candidates: REPLICATING,
  once: true,
  setting: { regions, tables: ['counter'], counters: { counter: ['n'] } },
  run: async (leg) => {
    const loads = await Promise.all(
      leg.regions.map((region, i) =>
        pgbench(region, { script: 'increment.sql', clients: CLIENTS[regions]![i]!, seconds: 3 }),
      ),
    );
    const acknowledged = loads.reduce((sum, load) => sum + load.acknowledged, 0);
    const caughtUp = await allCaughtUp(leg.regions, 60_000);
    const sums = await Promise.all(
      leg.regions.map(async ({ db }) =>
        Number((await db.query<{ n: string }>('select sum(n) as n from counter')).rows[0]?.n),
      ),
    );
    // Too much is as wrong as too little; the region that is furthest off counts.
    const lost = Math.max(...sums.map((sum) => Math.abs(acknowledged - sum)));
    return { lostPercent: (lost / acknowledged) * 100, lost, acknowledged, caughtUp: Number(caughtUp) };
  },
});

export const increments = [incrementsIn(2), incrementsIn(3)];
