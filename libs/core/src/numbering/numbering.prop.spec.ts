import fc from 'fast-check';
import { type RegionId, regionId } from '../ids.js';
import { areDisjoint, keepsTo, numberAbove, numberingOf, type Numbers } from './numbering.js';

const region = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/).map(regionId);
const regions = fc.uniqueArray(region, { minLength: 1, maxLength: 40 });
const floor = fc.bigInt({ min: -(2n ** 40n), max: 2n ** 62n });
const numbers: fc.Arbitrary<Numbers> = fc
  .record({ next: fc.integer({ min: -40, max: 40 }), increment: fc.integer({ min: 1, max: 12 }), length: fc.nat(8) })
  .map(({ next, increment, length }) => ({
    next: String(next),
    increment: String(increment),
    max: String(next + increment * length),
  }));

/** One by one, as a sequence does. */
function given({ next, increment, max }: Numbers): Set<number> {
  const all = new Set<number>();
  for (let n = Number(next); n <= Number(max); n += Number(increment)) all.add(n);
  return all;
}

describe('numbering', () => {
  it('is the same whatever the order in which the regions are named, and leaves room for as many again', () => {
    fc.assert(
      fc.property(regions, (all) => {
        const { step, regions: places } = numberingOf(all);
        expect(numberingOf([...all].reverse())).toEqual({ step, regions: places });
        expect(step).toBeGreaterThanOrEqual(Math.max(16, 2 * all.length));
        expect(Math.log2(step) % 1).toBe(0);
        expect(step).toBeLessThan(Math.max(32, 4 * all.length));
      }),
    );
  });

  it('keeps every place and the step when regions join', () => {
    fc.assert(
      fc.property(regions, regions, (first, joining) => {
        const kept = numberingOf(first);
        const now = numberingOf([...first, ...joining], kept);
        expect(now.regions.slice(0, first.length)).toEqual(kept.regions);
        if (now.regions.length <= kept.step) expect(now.step).toBe(kept.step);
      }),
    );
  });

  it('gives two regions numbers that never meet, the first one just above the floor', () => {
    fc.assert(
      fc.property(regions, floor, floor, (all, ours, theirs) => {
        const numbering = numberingOf(all);
        const of = (r: RegionId, above: bigint): Numbers => ({
          next: String(numberAbove(numbering, r, above)),
          increment: String(numbering.step),
          max: String(2n ** 63n),
        });
        for (const [i, r] of all.entries()) {
          const own = of(r, ours);
          expect(BigInt(own.next) - ours).toBeGreaterThan(0n);
          expect(BigInt(own.next) - ours).toBeLessThanOrEqual(BigInt(numbering.step));
          expect(keepsTo(numbering, r, own)).toBe(true);
          for (const other of all.slice(i + 1)) {
            expect(areDisjoint(own, of(other, theirs))).toBe(true);
            expect(keepsTo(numbering, other, own)).toBe(false);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('calls two sequences disjoint only if no number is in both', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const common = [...given(a)].filter((n) => given(b).has(n));
        if (areDisjoint(a, b)) expect(common).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
