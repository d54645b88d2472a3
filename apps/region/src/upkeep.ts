import type { Cancellation, Timers } from '@meridian/core';
import type { Enrolment, OverruledDecisions, PgApplyStore, PgTickStore } from '@meridian/postgres';
import type { Logger } from 'pino';

const INTERVAL_MS = 2_000;
/** Catalog queries over every enrolled table: now and then is enough. */
const DRIFT_EVERY = 5;

export interface Kept {
  readonly ticks: PgTickStore;
  readonly apply: PgApplyStore;
  readonly enrolment: Enrolment;
  readonly overruled: OverruledDecisions;
}

/**
 * What the leader does beside replicating: partitions ahead, tables that were altered, who blocks apply, rows that two people decided at
 * once. `reviewed`: after a look at the tables.
 */
export async function upkeep(
  parts: Kept,
  reviewed: () => Promise<void>,
  timers: Timers,
  signal: Cancellation,
  log: Logger,
): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    try {
      await parts.ticks.maintainPartitions();
      if (round % DRIFT_EVERY === 0) {
        await renewDrifted(parts.enrolment, log);
        await reviewed();
      }
      for (const blocker of await parts.apply.blockers()) log.warn({ blocker }, 'a transaction holds up apply');
      await parts.overruled.settle();
    } catch (error) {
      log.warn({ err: error }, 'upkeep failed, and is tried again');
    }
    await timers.sleep(INTERVAL_MS, signal);
  }
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
