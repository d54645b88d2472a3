import fc from 'fast-check';
import { type RegionId, regionId } from '../ids.js';
import type { Tick, TickHeader } from '../tick/tick.js';
import { type Vector, at, reaches, withSeq } from '../vector.js';
import { isReady, readyBatch } from './hold-back.js';

const REGIONS = ['us', 'eu', 'ap'].map(regionId);
const UNLIMITED = { ticks: 1e9, changes: 1e9 };

/** A history that three regions could have had: who cuts, and who applies whose next tick, step by step. */
const history: fc.Arbitrary<readonly Tick[]> = fc
  .array(fc.record({ at: fc.nat(2), from: fc.nat(2), changes: fc.nat(4) }), { maxLength: 60 })
  .map((steps) => {
    const applied: Vector[] = REGIONS.map(() => ({}));
    const ticks: Tick[] = [];
    for (const { at: where, from, changes } of steps) {
      const vector = applied[where]!;
      const origin = REGIONS[from]!;
      if (where === from) {
        const tick = { origin, seq: at(vector, origin) + 1, deps: vector, changes: Array(changes).fill({}) };
        ticks.push(tick as unknown as Tick);
        applied[where] = withSeq(vector, origin, (at(vector, origin) + 1) as never);
        continue;
      }
      const next = ticks.find((t) => t.origin === origin && isReady(t, vector));
      if (next !== undefined) applied[where] = withSeq(vector, origin, next.seq);
    }
    return ticks;
  });

const waitingIn = (ticks: readonly Tick[]) => (origin: RegionId, n: number) =>
  ticks.find((t) => t.origin === origin && t.seq === n);

/** Those of the ticks that have arrived, in any order. */
const arrived = history.chain((ticks) => fc.shuffledSubarray([...ticks]));

const run = (batch: readonly TickHeader[]): Vector =>
  batch.reduce<Vector>((vector, tick) => {
    expect(isReady(tick, vector)).toBe(true);
    expect(reaches(vector, { ...tick.deps, [tick.origin]: tick.seq - 1 } as Vector)).toBe(true);
    return withSeq(vector, tick.origin, tick.seq);
  }, {});

describe('laws of causal hold-back', () => {
  it('a batch, applied in its order, never shows a tick before what its writers had seen (I1)', () => {
    fc.assert(
      fc.property(arrived, (ticks) => {
        run(readyBatch(REGIONS, {}, waitingIn(ticks), UNLIMITED));
      }),
    );
  });

  it('without a limit nothing that could be applied is left', () => {
    fc.assert(
      fc.property(arrived, (ticks) => {
        const applied = run(readyBatch(REGIONS, {}, waitingIn(ticks), UNLIMITED));
        expect(ticks.filter((t) => isReady(t, applied))).toEqual([]);
      }),
    );
  });

  it('all ticks of a history are applied in the end, whatever the limit', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 5 }), (ticks, most, changes) => {
        const taken: Tick[] = [];
        for (let applied: Vector = {}; ; applied = run(taken)) {
          const batch = readyBatch(REGIONS, applied, waitingIn(ticks), { ticks: most, changes });
          if (batch.length === 0) break;
          expect(batch.length).toBeLessThanOrEqual(most);
          if (batch.length > 1)
            expect(batch.reduce((sum, t) => sum + t.changes.length, 0)).toBeLessThanOrEqual(changes);
          taken.push(...batch);
        }
        expect(taken).toHaveLength(ticks.length);
      }),
    );
  });

  it('an origin that never stops sending does not keep the others out of a batch (P13)', () => {
    const flood = (origin: RegionId, n: number): Tick | undefined =>
      origin === 'eu' && n > 1 ? undefined : ({ origin, seq: n, deps: {}, changes: [{}] } as unknown as Tick);
    const batch = readyBatch(REGIONS, {}, flood, { ticks: 3, changes: 100 });
    expect(new Set(batch.map((t) => t.origin))).toEqual(new Set(REGIONS));
  });
});
