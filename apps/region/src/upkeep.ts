import { type Cancellation, type RegionId, stableCut, type Timers } from '@meridian/core';
import type { ConflictRetention, Enrolment, OverruledDecisions, PgApplyStore, PgTickStore } from '@meridian/postgres';
import type { Logger } from 'pino';

const INTERVAL_MS = 2_000;
/** Catalog queries over every enrolled table: now and then is enough. */
const DRIFT_EVERY = 5;
/** Rounds from one pass over old conflict records to the next, and pages of one round: others wait for the database, too. */
const FORGET_EVERY = 150;
const PAGES_A_ROUND = 4;

export interface Kept {
  readonly ticks: PgTickStore;
  readonly apply: PgApplyStore;
  readonly enrolment: Enrolment;
  readonly retention: ConflictRetention;
  readonly overruled: OverruledDecisions;
}

/**
 * What the leader does beside replicating: partitions ahead, tables that were altered, old conflict records, who blocks apply, rows
 * that two people decided at once. `reviewed`: after a look at the tables.
 */
export async function upkeep(
  parts: Kept,
  members: readonly RegionId[],
  reviewed: () => Promise<void>,
  timers: Timers,
  signal: Cancellation,
  log: Logger,
): Promise<void> {
  let forgetting = false;
  for (let round = 0; !signal.aborted; round++) {
    try {
      await parts.ticks.maintainPartitions();
      if (round % DRIFT_EVERY === 0) {
        await renewDrifted(parts.enrolment, log);
        await reviewed();
      }
      if (round % FORGET_EVERY === 0) forgetting = true;
      if (forgetting) forgetting = await forgetConflicts(parts, members);
      for (const blocker of await parts.apply.blockers()) log.warn({ blocker }, 'a transaction holds up apply');
      await parts.overruled.settle();
    } catch (error) {
      log.warn({ err: error }, 'upkeep failed, and is tried again');
    }
    await timers.sleep(INTERVAL_MS, signal);
  }
}

/** Resolves to whether there are older ones to look at. */
async function forgetConflicts({ ticks, retention }: Kept, members: readonly RegionId[]): Promise<boolean> {
  const stable = stableCut(members, await ticks.lastDeps());
  for (let page = 1; page <= PAGES_A_ROUND; page++) if (!(await retention.step(stable)).more) return false;
  return true;
}

/** One that cannot be renewed now, as when somebody holds its lock, keeps none of the others waiting. */
async function renewDrifted(enrolment: Enrolment, log: Logger): Promise<void> {
  for (const table of await enrolment.captureDrift())
    try {
      const { differs, problems } = await enrolment.renewCapture(table);
      if (differs !== null) log.error({ table }, `changes of ${table} wait: ${differs}`);
      else if (problems.length === 0)
        log.info({ table }, `${table} had changed: it is captured and applied as it is now`);
      for (const { message, cure } of problems)
        log.error({ table }, `${table} is not safe as it is: ${message}; ${cure}`);
    } catch (error) {
      log.warn({ table, err: error }, `the capture of ${table} could not be renewed, and is tried again`);
    }
}
