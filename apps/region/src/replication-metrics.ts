import type { Change, RegionId, TableName, Tick } from '@meridian/core';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observations } from './observations.js';

/** What alarms are set on; of the instance that leads. The log's size and age are PostgreSQL's to measure. */
export class ReplicationMetrics {
  private readonly cutTicks: Counter;
  private readonly cutChanges: Counter;
  private readonly appliedTicks: Counter<'origin'>;
  private readonly appliedChanges: Counter<'origin'>;
  private readonly passedChanges: Counter<'table'>;
  private readonly batchChanges: Histogram;
  private readonly conflicts: Counter;
  private readonly retries: Counter<'because'>;

  constructor(registry: Registry, observations: Observations, peers: readonly RegionId[], now: () => number) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Counter({ name: `meridian_${name}`, help, labelNames, registers });
    this.cutTicks = counter('ticks_cut_total', 'Ticks cut from the log of this region, heartbeats included');
    this.cutChanges = counter('changes_cut_total', 'Changes in them, after folding');
    this.appliedTicks = counter('ticks_applied_total', 'Ticks of other regions that are in this database', ['origin']);
    this.appliedChanges = counter('changes_applied_total', 'Changes in them', ['origin']);
    this.passedChanges = counter('changes_passed_total', 'Changes of ended enrolments: in the log, and not applied', [
      'table',
    ]);
    this.conflicts = counter('conflicts_recorded_total', 'Conflict records opened, followed or withdrawn here');
    this.retries = counter('apply_retries_total', 'Attempts of apply that were rolled back and taken again', [
      'because',
    ]);
    this.batchChanges = new Histogram({
      ...{ name: 'meridian_apply_batch_changes', help: 'Changes applied in one transaction', registers },
      buckets: [1, 4, 16, 64, 256, 1024, 4096, 16_384],
    });
    observe(registers, observations, peers, now);
  }

  cut(tick: Tick): void {
    this.cutTicks.inc();
    this.cutChanges.inc(tick.changes.length);
  }

  applied(ticks: readonly Tick[], conflicts: number): void {
    this.conflicts.inc(conflicts);
    this.batchChanges.observe(ticks.reduce((sum, { changes }) => sum + changes.length, 0));
    for (const { origin, changes } of ticks) {
      this.appliedTicks.inc({ origin });
      this.appliedChanges.inc({ origin }, changes.length);
    }
  }

  passed(changes: readonly Change[]): void {
    const counts = new Map<TableName, number>();
    for (const { table } of changes) counts.set(table, (counts.get(table) ?? 0) + 1);
    for (const [table, count] of counts) this.passedChanges.inc({ table }, count);
  }

  retried(because: string): void {
    this.retries.inc({ because });
  }
}

/** Gauges of what the pipeline has seen, read when they are asked for. */
function observe(
  registers: Registry[],
  observations: Observations,
  peers: readonly RegionId[],
  now: () => number,
): void {
  const ofEach = (name: string, help: string, value: (peer: RegionId) => number | null) =>
    new Gauge({
      ...{ name: `meridian_${name}`, help, labelNames: ['origin'], registers },
      collect() {
        this.reset();
        for (const peer of peers) {
          const known = value(peer);
          if (known !== null) this.set({ origin: peer }, known);
        }
      },
    });
  ofEach('waiting_changes', 'Changes of a region that have arrived and are not applied here', (peer) =>
    observations.waitingChanges(peer),
  );
  ofEach('silence_seconds', 'Since the last tick of a region arrived; each beats once a second', (peer) => {
    const seen = observations.of(peer);
    return seen === undefined ? null : (now() - seen.lastSeenMs) / 1000;
  });
  ofEach('clock_offset_seconds', "A region's clock against this one's; positive: ahead", (peer) => {
    const seen = observations.of(peer);
    return seen === undefined ? null : seen.clockOffsetMs / 1000;
  });
  const state = (name: string, help: string, value: () => number) =>
    new Gauge({
      ...{ name: `meridian_${name}`, help, registers },
      collect() {
        this.set(value());
      },
    });
  state('apply_halted', '1: apply stands still, /readyz says why', () => (observations.halted === null ? 0 : 1));
  state('tables_waiting', 'Tables that cannot take their changes here', () => observations.refused.size);
}
