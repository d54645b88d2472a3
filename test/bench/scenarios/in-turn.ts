import { setTimeout as pause } from 'node:timers/promises';
import type { Leg } from '../candidates/candidate.js';
import { allCaughtUp } from '../candidates/regions.js';
import { settledDifference } from '../measure/equality.js';
import { waitUntil } from '../measure/wait.js';
import { REPLICATING, type Scenario } from './scenario.js';

const TURNS = 40;
/** PostgreSQL's own statistics are told at most this much later. */
const STATISTICS_MS = 1_500;

const inTurn = (clockSeconds: number): Scenario => ({
  id: 8,
  name: clockSeconds === 0 ? 'updates in turn' : 'updates in turn, one clock behind',
  candidates: REPLICATING,
  once: true,
  setting: { regions: 2, tables: ['wide'], clocks: { 1: clockSeconds } },
  run: async (leg) => {
    const before = await reported(leg);
    let seen = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const writer = leg.regions[turn % 2]!;
      const reader = leg.regions[(turn + 1) % 2]!;
      await writer.db.query('update wide set a = $1 where id = 1', [`turn ${turn}`]);
      const shows = async () =>
        (await reader.db.query('select from wide where id = 1 and a = $1', [`turn ${turn}`])).rows.length === 1;
      // Nobody writes before the other's write is there: there is nothing to conflict.
      if (!(await waitUntil(shows, 5_000, 1))) break;
      seen++;
    }
    await allCaughtUp(leg.regions, 10_000);
    const conflicts = (await reported(leg)) - before;
    return { seen, conflicts, different: await settledDifference(leg.regions, 'wide', 2_000) };
  },
});

async function reported(leg: Leg): Promise<number> {
  if (leg.candidate === 'native') await pause(STATISTICS_MS);
  return leg.conflicts();
}

/** Updates that follow one another are no conflict, whatever the clocks say. */
export const updatesInTurn = [inTurn(0), inTurn(-5)];
