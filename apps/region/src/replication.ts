import type { RegionConfig } from '@meridian/config';
import type { ApplyStore, PolicyFunctions, RegionId, TickStore, Transport } from '@meridian/core';
import { Pipeline, type PipelineEvents } from '@meridian/replication';
import { sha256 } from '@meridian/transport';
import type { Logger } from 'pino';
import type { Observations } from './observations.js';
import type { LocalRelaying } from './relaying.js';
import type { ReplicationMetrics } from './replication-metrics.js';
import { systemTimers } from './system.js';

export interface ReplicationParts {
  readonly config: RegionConfig;
  readonly region: RegionId;
  readonly ticks: TickStore;
  readonly apply: ApplyStore;
  readonly transport: Transport;
  readonly functions: PolicyFunctions;
  readonly relaying: LocalRelaying;
  readonly observations: Observations;
  readonly metrics: ReplicationMetrics;
  readonly log: Logger;
}

/** The pipeline of the instance that leads, and who hears of what it does. */
export function createPipeline(parts: ReplicationParts): Pipeline {
  const { config, region, ticks, apply, transport, functions } = parts;
  const { replication } = config;
  return new Pipeline(
    {
      region,
      peers: Object.keys(config.peers) as RegionId[],
      ticks,
      apply,
      transport,
      digest: sha256,
      functions,
      timers: systemTimers,
      clockOffsets: (origin) => parts.observations.clockOffsetOf(origin),
    },
    {
      tickIntervalMs: replication.tickIntervalMs,
      pollIntervalMs: replication.pollIntervalMs,
      heartbeatMs: replication.heartbeatMs,
      batch: { ticks: replication.batchTicks, changes: replication.batchChanges },
      inboxChanges: replication.inboxChanges,
      retentionIntervalMs: replication.retentionIntervalMs,
    },
    pipelineEvents(parts),
  );
}

/** After so many attempts in a row apply's waiting is worth a line in the log. */
const RETRIES_WORTH_TELLING = 20;

function pipelineEvents({ observations, metrics, relaying, log }: ReplicationParts): PipelineEvents {
  return {
    cut(tick) {
      observations.lastCutMs = Date.now();
      metrics.cut(tick);
      relaying.cut(tick);
    },
    received: (delivered) => observations.received(delivered),
    interrupted(origin, error) {
      observations.interrupted(origin, error);
      log.warn({ origin, err: error }, `the stream of ${origin} was interrupted; it is taken up again`);
    },
    advanced(heads) {
      observations.applied(heads);
      relaying.applied(heads);
    },
    applied: (ticks, conflicts) => metrics.applied(ticks, conflicts),
    passed(changes) {
      metrics.passed(changes);
      for (const table of observations.newlyPassed(changes))
        log.warn(
          { table },
          `changes of an ended enrolment of ${table} go on arriving: they are kept in the log, and not applied`,
        );
    },
    refused(table, reason) {
      observations.refused.set(table, reason);
      log.error({ table }, `changes of ${table} wait, the table here cannot take them: ${reason}`);
    },
    resumed(table) {
      observations.refused.delete(table);
      log.info({ table }, `the changes that had waited for ${table} are applied`);
    },
    retried(because, attempts) {
      metrics.retried(because.retry);
      if (attempts % RETRIES_WORTH_TELLING === 0)
        log.warn({ retry: because.retry, attempts }, `apply was taken again ${attempts} times: ${because.detail}`);
    },
    waiting(table) {
      if (table !== null && table !== observations.waitingFor)
        log.warn({ table }, `ticks wait for ${table} to be enrolled in this region`);
      observations.waitingFor = table;
    },
    halted(error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== observations.halted) log.error({ err: error }, 'apply stands still, and is tried again');
      observations.halted = message;
    },
    failed: (part, error) => log.error({ err: error }, `the ${part} failed, and begins anew`),
  };
}
