import type { TableEnrolment } from '@meridian/api';
import type { RegionConfig } from '@meridian/config';
import type { TablePolicy } from '@meridian/contract';
import { type Cancellation, parseTableName, type Timers } from '@meridian/core';
import type { Logger } from 'pino';

const RETRY_MS = 2_000;

/** Enrols what meridian.yaml names under `tables:`, as soon as all regions can be asked; a table that is refused is told once. */
export async function enrolConfiguredTables(
  config: RegionConfig,
  tables: TableEnrolment,
  timers: Timers,
  signal: Cancellation,
  log: Logger,
): Promise<void> {
  let waiting = Object.entries(config.tables);
  const told = new Map<string, string>();
  while (waiting.length > 0 && !signal.aborted) {
    const left: typeof waiting = [];
    for (const [name, policy] of waiting) {
      const refusal = await enrol(tables, name, policy as TablePolicy);
      if (refusal === null) log.info({ table: name }, `${name} is enrolled`);
      else left.push([name, policy]);
      if (refusal !== null && told.get(name) !== refusal) log.warn({ table: name }, refusal);
      if (refusal !== null) told.set(name, refusal);
    }
    waiting = left;
    if (waiting.length > 0) await timers.sleep(RETRY_MS, signal);
  }
}

/** Null: enrolled; else why not (yet). */
async function enrol(tables: TableEnrolment, name: string, policy: TablePolicy): Promise<string | null> {
  try {
    const outcome = await tables.put(parseTableName(name), policy);
    return outcome.kind === 'enrolled'
      ? null
      : `${name} is not enrolled: ${outcome.reasons.map((r) => `${r.detail} (${r.cure})`).join('; ')}`;
  } catch (error) {
    return `${name} is not enrolled yet: ${(error as Error).message}`;
  }
}
