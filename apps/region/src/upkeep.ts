import type { Cancellation, Timers } from '@meridian/core';
import type { Enrolment, PgApplyStore, PgTickStore } from '@meridian/postgres';
import type { Logger } from 'pino';

const INTERVAL_MS = 2_000;
/** Catalog queries over every enrolled table: now and then is enough. */
const DRIFT_EVERY = 5;

/** What the leader does beside replicating: partitions ahead, capture renewed when a table's triggers changed, who blocks apply. */
export async function upkeep(
  parts: { readonly ticks: PgTickStore; readonly apply: PgApplyStore; readonly enrolment: Enrolment },
  timers: Timers,
  signal: Cancellation,
  log: Logger,
): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    try {
      await parts.ticks.maintainPartitions();
      if (round % DRIFT_EVERY === 0) await renewDrifted(parts.enrolment, log);
      for (const blocker of await parts.apply.blockers()) log.warn({ blocker }, 'a transaction holds up apply');
    } catch (error) {
      log.warn({ err: error }, 'upkeep failed, and is tried again');
    }
    await timers.sleep(INTERVAL_MS, signal);
  }
}

async function renewDrifted(enrolment: Enrolment, log: Logger): Promise<void> {
  for (const table of await enrolment.captureDrift()) {
    const renewed = await enrolment.renewCapture(table);
    if (renewed)
      log.info(
        { table },
        `capture of ${table} was generated anew: its triggers, partitions, columns or key sequences had changed`,
      );
    else log.error({ table }, `${table} can no longer be replicated as it is; enrol it again to learn why`);
  }
}
