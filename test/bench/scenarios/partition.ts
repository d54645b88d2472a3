import { allCaughtUp } from '../candidates/regions.js';
import { differingRows } from '../measure/equality.js';
import { pgbench } from '../measure/pgbench.js';
import { REPLICATING, type Scenario } from './scenario.js';

/** Two regions go on writing the same hundred rows while they cannot reach each other. */
export const partition: Scenario = {
  id: 4,
  name: 'partition',
  candidates: REPLICATING,
  once: true,
  setting: { regions: 2, tables: ['bench'], cuttable: true },
  run: async (leg) => {
    await leg.cut();
    // Paced: 5 s of unpaced load would only make the drain longer. Every row is written many times on both sides.
    await Promise.all(
      leg.regions.map((region) => pgbench(region, { script: 'update-shared.sql', clients: 4, seconds: 5, rate: 500 })),
    );
    await leg.heal();
    const healed = await allCaughtUp(leg.regions, 60_000);
    return {
      different: await differingRows(leg.regions, 'bench'),
      healed: Number(healed),
      conflicts: await leg.conflicts(),
    };
  },
};
