import type { RegionId } from '../ids.js';
import { type Tick, type TickHeader, weightOf } from '../tick/tick.js';
import { at, origins, type Vector, withSeq } from '../vector.js';

/** A tick (o,n) is ready when the applied vector has o at n−1 and covers its deps: then all that its writers saw is here. */
export const isReady = (tick: TickHeader, applied: Vector): boolean =>
  at(applied, tick.origin) === tick.seq - 1 &&
  origins(tick.deps).every((o) => o === tick.origin || at(applied, o) >= at(tick.deps, o));

export interface BatchLimit {
  readonly ticks: number;
  readonly changes: number;
}

/**
 * The longest run of waiting ticks that can be applied one after another, within the limit (but at least one).
 * `waiting` gives the tick of an origin with this seq, if it has arrived. The origins take turns: one that sends faster than
 * we apply would otherwise fill every batch, and the others would never come.
 */
export function readyBatch(
  regions: readonly RegionId[],
  applied: Vector,
  waiting: (origin: RegionId, seq: number) => Tick | undefined,
  limit: BatchLimit,
): Tick[] {
  const batch: Tick[] = [];
  const turns = new Map(regions.map((o) => [o, 0]));
  let vector = applied;
  let changes = 0;
  for (;;) {
    const next = [...turns]
      .sort(([, a], [, b]) => a - b)
      .map(([o]) => waiting(o, at(vector, o) + 1))
      .find((t) => t !== undefined && isReady(t, vector));
    if (next === undefined) return batch;
    changes += weightOf(next);
    if (batch.length > 0 && (changes > limit.changes || batch.length >= limit.ticks)) return batch;
    batch.push(next);
    turns.set(next.origin, turns.get(next.origin)! + 1);
    vector = withSeq(vector, next.origin, next.seq);
  }
}
