import type { Leg } from '../candidates/candidate.js';
import { allCaughtUp } from '../candidates/regions.js';

/** Until a service's hot code is compiled: V8 does so while it runs, and a service that is measured has run for long. */
const SECONDS = 6;
const DRAIN_LIMIT_MS = 60_000;

/**
 * The scenario's own load before it is measured, for every candidate alike, and its end waited for. A service that has just
 * started takes some twice the CPU of one that has run for a while, and PostgreSQL's sessions have their plans to make.
 */
export async function warmUp(leg: Leg, load: (seconds: number) => Promise<unknown>): Promise<void> {
  await load(SECONDS);
  if (leg.candidate !== 'raw' && !(await allCaughtUp(leg.regions, DRAIN_LIMIT_MS)))
    throw new Error('the regions did not become equal after the warm-up');
}
