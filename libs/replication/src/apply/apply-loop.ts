import {
  type ApplyStore,
  type BatchLimit,
  type Cancellation,
  type Enrolments,
  type Head,
  type RegionId,
  type TableName,
  type Tick,
  type Timers,
  type Vector,
  minVector,
  readyBatch,
  vectorOf,
} from '@meridian/core';
import type { Inbox } from '../receive/inbox.js';
import { restUnder } from '../rest.js';
import { Wakeup } from '../wakeup.js';
import { type Applier, readEnrolled } from './applier.js';
import { unknownTable } from './batch.js';
import { ForkedOriginError } from './errors.js';
import type { Sweep } from './sweep.js';

export interface ApplyLoopEvents {
  /** The applied vector has moved: readers that wait for a token look again. */
  advanced(heads: ReadonlyMap<RegionId, Head>): void;
  /** A tick waits for a table (or a later policy of it) to be enrolled here; null: it no longer does. */
  waiting(table: TableName | null): void;
  /** Apply stands still: a broken invariant, or the database is away. Tried again, loudly. */
  halted(error: unknown): void;
}

interface WantedSweep {
  readonly forgetting: Vector;
  readonly tell: (wentThrough: boolean) => void;
}

/** Takes what is ready from the inbox, many ticks at a time when behind, and applies it; sweeps the parked rows. */
export class ApplyLoop {
  private readonly wakeup = new Wakeup();
  private lastBatch = -Infinity;
  private readonly wanted: WantedSweep[] = [];
  private over = false;

  constructor(
    private readonly store: ApplyStore,
    private readonly applier: Applier,
    private readonly sweep: Sweep,
    private readonly inbox: Inbox,
    private readonly origins: readonly RegionId[],
    private readonly timers: Timers,
    private readonly limit: BatchLimit,
    private readonly events: ApplyLoopEvents,
  ) {}

  wake(): void {
    this.wakeup.wake();
  }

  /** Did the next sweep go through, so that what is below the cut may be forgotten? It begins after this call, and soon. */
  swept(forgetting: Vector): Promise<boolean> {
    if (this.over) return Promise.resolve(false);
    this.wakeup.wake();
    return new Promise((resolve) => this.wanted.push({ forgetting, tell: resolve }));
  }

  async run(signal: Cancellation): Promise<void> {
    let failures = 0;
    let swept = -Infinity;
    while (!signal.aborted) {
      try {
        if (this.wanted.length > 0 || this.timers.now() - swept >= SWEEP_INTERVAL_MS) {
          await this.sweepOnce();
          swept = this.timers.now();
        }
        await this.stepAndRest(signal);
        failures = 0;
      } catch (error) {
        this.events.halted(error);
        await this.timers.sleep(Math.min(5_000, 100 * 2 ** Math.min(failures++, 6)), signal);
      }
    }
    this.over = true;
    for (const { tell } of this.wanted.splice(0)) tell(false);
  }

  private async sweepOnce(): Promise<void> {
    const wanted = this.wanted.splice(0);
    let wentThrough = false;
    try {
      await this.applier.resumeWaiting();
      const forgetting = wanted.length === 0 ? null : minVector(wanted.map((w) => w.forgetting));
      wentThrough = (await this.sweep.run(forgetting)) !== null;
    } finally {
      for (const { tell } of wanted) tell(wentThrough);
    }
  }

  private async stepAndRest(signal: Cancellation): Promise<void> {
    const began = this.timers.now();
    const changes = await this.step();
    if (changes === null) return this.wakeup.wait(IDLE_MS, this.timers, signal);
    const now = this.timers.now();
    const restMs = Math.min(now - began, restUnder(changes, now - this.lastBatch), LONGEST_REST_MS);
    this.lastBatch = now;
    await this.timers.sleep(restMs, signal);
  }

  /** One batch: how many changes it applied; null: nothing was ready. */
  async step(): Promise<number | null> {
    const [heads, enrolled] = await Promise.all([this.store.heads(), readEnrolled(this.store)]);
    this.inbox.drop(vectorOf(heads));
    const batch = this.ready(heads, enrolled);
    if (batch.length === 0) return null;
    assertChain(batch, heads);
    const positions = this.positions(batch);
    const outcome = await this.applier.apply(batch, positions, enrolled);
    if (outcome === 'overtaken') return 0;
    const now = advanced(heads, batch, positions);
    this.inbox.drop(vectorOf(now));
    this.events.advanced(now);
    return batch.reduce((sum, { changes }) => sum + changes.length, 0);
  }

  private ready(heads: ReadonlyMap<RegionId, Head>, enrolments: Enrolments): Tick[] {
    let waitsFor: TableName | null = null;
    const known = (origin: RegionId, seq: number): Tick | undefined => {
      const tick = this.inbox.get(origin, seq)?.tick;
      const unknown = tick === undefined ? undefined : unknownTable(tick, enrolments);
      if (unknown === undefined) return tick;
      waitsFor = unknown;
      return undefined;
    };
    const batch = readyBatch(this.origins, vectorOf(heads), known, this.limit);
    this.events.waiting(batch.length === 0 ? waitsFor : null);
    return batch;
  }

  private positions(batch: readonly Tick[]): ReadonlyMap<RegionId, string> {
    const positions = new Map<RegionId, string>();
    for (const { origin, seq } of batch) {
      const position = this.inbox.get(origin, seq)?.position ?? null;
      if (position !== null) positions.set(origin, position);
    }
    return positions;
  }
}

/** Parked rows are few and their keys are freed rarely; a sweep of none is one query. */
const SWEEP_INTERVAL_MS = 500;
/**
 * A batch costs a transaction of some ten statements whatever is in it: under load as long as it took the next one gathers, so
 * that apply slows down before the users' own writes do. No longer than this, for large batches are those of a catch-up.
 */
const LONGEST_REST_MS = 20;
/** A safety net: arriving ticks wake the loop. */
const IDLE_MS = 200;

/** The heads as the batch's transaction has left them; the next batch reads them anew. */
function advanced(
  heads: ReadonlyMap<RegionId, Head>,
  batch: readonly Tick[],
  positions: ReadonlyMap<RegionId, string>,
): ReadonlyMap<RegionId, Head> {
  const now = new Map(heads);
  for (const { origin, seq, digest } of batch)
    now.set(origin, { seq, digest, position: positions.get(origin) ?? now.get(origin)?.position ?? null });
  return now;
}

/** Every tick names the digest of the one before it, also of the one applied here. */
function assertChain(batch: readonly Tick[], heads: ReadonlyMap<RegionId, Head>): void {
  const digests = new Map([...heads].map(([origin, head]) => [origin, head.digest]));
  for (const tick of batch) {
    const applied = digests.get(tick.origin) ?? '';
    if (tick.previous !== applied) throw new ForkedOriginError(tick, applied);
    digests.set(tick.origin, tick.digest);
  }
}
