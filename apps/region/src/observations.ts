import type { Change, DeliveredTick, Head, RegionId, TableName } from '@meridian/core';

interface OriginObservation {
  readonly latestSeq: number;
  readonly lastSeenMs: number;
  /** The origin's clock against ours when its tick arrived, minus what it took to arrive; positive: ahead. */
  readonly clockOffsetMs: number;
  /** Changes of ticks that have arrived and are not applied, by seq. */
  readonly waiting: Map<number, number>;
}

/** What the leader's pipeline has seen of its peers and of itself; for status, readiness and alarms, never for correctness. */
export class Observations {
  private readonly origins = new Map<RegionId, OriginObservation>();
  halted: string | null = null;
  waitingFor: TableName | null = null;
  /** Tables that cannot take their changes here, and why. */
  readonly refused = new Map<TableName, string>();
  lastCutMs = 0;
  /** By table, of what enrolments changes were let pass: worth telling once of each. */
  private readonly passed = new Map<TableName, number>();
  readonly interruptions = new Map<RegionId, string>();

  readonly sinceMs: number;

  constructor(private readonly now: () => number) {
    this.sinceMs = now();
  }

  received({ tick }: DeliveredTick): void {
    const known = this.origins.get(tick.origin);
    const offset = Number(tick.wall / 1000n) - this.now();
    this.interruptions.delete(tick.origin);
    this.origins.set(tick.origin, {
      latestSeq: Math.max(known?.latestSeq ?? 0, tick.seq),
      lastSeenMs: this.now(),
      clockOffsetMs: smoothed(known?.clockOffsetMs, offset),
      waiting: (known?.waiting ?? new Map<number, number>()).set(tick.seq, tick.changes.length),
    });
  }

  applied(heads: ReadonlyMap<RegionId, Head>): void {
    this.halted = null;
    for (const [origin, { waiting }] of this.origins)
      for (const seq of waiting.keys()) if (seq <= (heads.get(origin)?.seq ?? 0)) waiting.delete(seq);
  }

  /** Tables of which no change of this ended enrolment was told yet. */
  newlyPassed(changes: readonly Change[]): ReadonlySet<TableName> {
    const tables = new Set<TableName>();
    for (const { table, epoch } of changes)
      if (epoch > (this.passed.get(table) ?? 0)) {
        this.passed.set(table, epoch);
        tables.add(table);
      }
    return tables;
  }

  /** Changes of this origin that are known of and not applied here. */
  waitingChanges(origin: RegionId): number | null {
    const known = this.origins.get(origin);
    return known === undefined ? null : [...known.waiting.values()].reduce((sum, n) => sum + n, 0);
  }

  interrupted(origin: RegionId, error: unknown): void {
    this.interruptions.set(origin, error instanceof Error ? error.message : String(error));
  }

  /** Positive: its clock is ahead of ours. */
  clockOffsetOf(origin: RegionId): number | null {
    const known = this.origins.get(origin);
    return known === undefined ? null : Math.round(known.clockOffsetMs);
  }

  of(origin: RegionId): OriginObservation | undefined {
    return this.origins.get(origin);
  }
}

/** A tick can only arrive late: the largest recent offset is the nearest to the truth, and old ones fade. */
const smoothed = (known: number | undefined, offset: number): number =>
  known === undefined || offset > known ? offset : known + (offset - known) * 0.05;
