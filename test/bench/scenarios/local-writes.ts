import { pgbench } from '../measure/pgbench.js';
import { warmUp } from '../measure/warm-up.js';
import { base } from '../schema.js';
import { ALL, type Scenario } from './scenario.js';

/** What a writer in one region loses to replication that goes on beside it. */
export const localWrites: Scenario = {
  id: 1,
  name: 'local writes',
  candidates: ALL,
  once: false,
  setting: { regions: 2, tables: ['bench'] },
  run: async (leg, { seconds }) => {
    const load = (seconds: number) =>
      pgbench(leg.regions[0]!, { script: 'update-own.sql', clients: 8, seconds, variables: { base: base(0) } });
    await warmUp(leg, load);
    const done = await load(seconds);
    return { rate: done.acknowledged / done.seconds };
  },
};
