import type { Leg } from '../candidates/candidate.js';
import { settledDifference } from '../measure/equality.js';
import { loadEverywhere } from '../measure/load-everywhere.js';
import { warmUp } from '../measure/warm-up.js';
import { peakResidentMb } from '../measure/processes.js';
import { ALL, type Outcome, type Scenario } from './scenario.js';

const replicated = (regions: number): Scenario => ({
  id: 2,
  name: `replicated writes, ${regions} regions`,
  candidates: ALL,
  once: false,
  setting: { regions, tables: ['bench'] },
  run: async (leg, { seconds }) => {
    const load = (seconds: number) => loadEverywhere(leg, 'update-own.sql', seconds);
    await warmUp(leg, load);
    const { rate, drainSeconds, cpuMs } = await load(seconds);
    return { rate, drainSeconds, cpuMs, ...(await serviceFootprint(leg)) };
  },
});

const contended = (regions: number): Scenario => ({
  id: 3,
  name: `replicated writes with 1 % on shared rows, ${regions} regions`,
  candidates: ALL,
  once: false,
  setting: { regions, tables: ['bench'] },
  run: async (leg, { seconds }) => {
    const load = (seconds: number) => loadEverywhere(leg, 'update-mixed.sql', seconds);
    await warmUp(leg, load);
    const { rate, drainSeconds } = await load(seconds);
    const different = leg.candidate === 'raw' ? 0 : await settledDifference(leg.regions, 'bench', 5_000);
    return { rate, drainSeconds, different, conflicts: await leg.conflicts(), ...(await serviceFootprint(leg)) };
  },
});

export const replicatedWrites = [replicated(2), replicated(3), contended(2), contended(3)];

/** Memory of the largest service, and the log's bytes on disk (indexes included) for each change that it holds. */
async function serviceFootprint(leg: Leg): Promise<Outcome> {
  if (leg.candidate !== 'meridian') return {};
  const { rows } = await leg.regions[0]!.db.query<{ bytes: string; changes: string }>(
    `select (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'meridian.change'::regclass) as bytes,
            (select count(*) from meridian.change) as changes`,
  );
  return {
    residentMb: Math.max(...leg.servicePids().map(peakResidentMb)),
    logBytes: Number(rows[0]?.bytes) / Number(rows[0]?.changes),
  };
}
