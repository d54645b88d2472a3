import type { Leg } from '../candidates/candidate.js';
import { allCaughtUp } from '../candidates/regions.js';
import { base } from '../schema.js';
import { pgbench } from './pgbench.js';
import { cpuSeconds } from './processes.js';

/** By the number of regions: eight clients in all. */
export const CLIENTS: Readonly<Record<number, readonly number[]>> = { 1: [8], 2: [4, 4], 3: [3, 3, 2] };
const DRAIN_LIMIT_MS = 60_000;

export interface Replicated {
  readonly acknowledged: number;
  /** Writes a second, the time until all regions had all of them included; 0 when they never had. */
  readonly rate: number;
  readonly drainSeconds: number;
  /** Of servers and services, per write. */
  readonly cpuMs: number;
}

/** All regions write at once; then the time until every write is everywhere counts too. */
export async function loadEverywhere(leg: Leg, script: string, seconds: number): Promise<Replicated> {
  const processes = [...leg.regions.map(({ server }) => server.pid), ...leg.servicePids()];
  const before = cpuSeconds(processes);
  const loads = await Promise.all(
    leg.regions.map((region, i) =>
      pgbench(region, { script, clients: CLIENTS[leg.regions.length]![i]!, seconds, variables: { base: base(i) } }),
    ),
  );
  const loaded = performance.now();
  const complete = leg.candidate === 'raw' || (await allCaughtUp(leg.regions, DRAIN_LIMIT_MS));
  const drainSeconds = leg.candidate === 'raw' ? 0 : (performance.now() - loaded) / 1000;
  const acknowledged = loads.reduce((sum, load) => sum + load.acknowledged, 0);
  const loadSeconds = Math.max(...loads.map((load) => load.seconds));
  return {
    acknowledged,
    rate: complete ? acknowledged / (loadSeconds + drainSeconds) : 0,
    drainSeconds,
    cpuMs: ((cpuSeconds(processes) - before) * 1000) / acknowledged,
  };
}
