import { allCaughtUp } from '../candidates/regions.js';
import { commits, latency, watch } from '../measure/latency.js';
import { pgbench } from '../measure/pgbench.js';
import { warmUp } from '../measure/warm-up.js';
import { REPLICATING, type Scenario } from './scenario.js';

const latencyAt = (rate: number): Scenario => ({
  id: 6,
  name: `latency at ${rate}/s`,
  candidates: REPLICATING,
  once: false,
  setting: { regions: 2, tables: ['stream'] },
  run: async (leg, { seconds }) => {
    const [origin, other] = leg.regions;
    const load = (seconds: number) => pgbench(origin!, { script: 'insert-one.sql', clients: 8, seconds, rate });
    await warmUp(leg, load);
    const [seen] = await Promise.all([watch(other!.db, seconds + 2), load(seconds)]);
    if (!(await allCaughtUp(leg.regions, 30_000))) throw new Error('the other region did not catch up');
    const { p50, p95, p99, rows } = latency(await commits(origin!.db), await commits(other!.db), seen);
    return { p50, p95, p99, rows };
  },
});

export const latencies = [latencyAt(200), latencyAt(2_000)];
