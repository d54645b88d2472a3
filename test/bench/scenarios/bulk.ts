import { allCaughtUp } from '../candidates/regions.js';
import { base, OWN_ROWS } from '../schema.js';
import { ALL, type Scenario } from './scenario.js';

const COPIED_ROWS = 50_000;

/** What replication costs the writer of many rows at once. */
export const bulk: Scenario = {
  id: 13,
  name: 'bulk statements',
  candidates: ALL,
  once: false,
  setting: { regions: 2, tables: ['bench', 'stream'] },
  run: async (leg) => {
    const { db } = leg.regions[0]!;
    const timed = async (sql: string): Promise<number> => {
      const start = performance.now();
      await db.query(sql);
      return performance.now() - start;
    };
    const update = `update bench set payload = repeat(md5(payload), 8) where id > ${base(0)} and id <= ${base(0) + OWN_ROWS}`;
    // The first one warms up; between the statements everything is taken in, so that each is measured alone.
    const rounds: number[] = [];
    for (let i = 0; i < 3; i++) {
      rounds.push(await timed(update));
      if (leg.candidate !== 'raw') await allCaughtUp(leg.regions, 30_000);
    }
    const rows = `awk 'BEGIN { for (i = 1; i <= ${COPIED_ROWS}; i++) printf "%d\\t%0256d\\n", i, i * 7919 }'`;
    const copyMs = await timed(`copy stream from program $program$${rows}$program$`);
    return { updateRate: (OWN_ROWS * 1000) / Math.min(...rounds), copyRate: (COPIED_ROWS * 1000) / copyMs };
  },
};
