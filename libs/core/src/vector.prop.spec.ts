import fc from 'fast-check';
import { type RegionId, type Seq, seq } from './ids.js';
import {
  EMPTY_VECTOR,
  type Vector,
  at,
  equalVectors,
  mergeVectors,
  minVector,
  origins,
  reaches,
  withSeq,
} from './vector.js';

// Names that Object.prototype has too: what is not named must count as 0 all the same.
const NAMES = ['us', 'eu', 'constructor', 'valueOf', '__proto__'] as RegionId[];
const name = fc.constantFrom(...NAMES);
const vector: fc.Arbitrary<Vector> = fc
  .array(fc.tuple(name, fc.nat({ max: 3 }).map(seq)))
  .map((entries) => Object.fromEntries(entries));

const dense = (v: Vector): number[] => NAMES.map((n) => at(v, n));
const everywhere = (holds: (i: number) => boolean): boolean => NAMES.every((_n, i) => holds(i));

describe('laws of vectors, against arrays of numbers', () => {
  it('an origin that is not named is at 0, also one called like a property of Object', () => {
    expect(dense(EMPTY_VECTOR)).toEqual([0, 0, 0, 0, 0]);
  });

  it('reaches, merge and minimum are per origin', () => {
    fc.assert(
      fc.property(vector, vector, vector, (a, b, c) => {
        const [x, y, z] = [dense(a), dense(b), dense(c)] as [number[], number[], number[]];
        expect(reaches(a, b)).toBe(everywhere((i) => x[i]! >= y[i]!));
        expect(equalVectors(a, b)).toBe(everywhere((i) => x[i] === y[i]));
        expect(dense(mergeVectors(a, b))).toEqual(x.map((n, i) => Math.max(n, y[i]!)));
        expect(dense(minVector([a, b, c]))).toEqual(x.map((n, i) => Math.min(n, y[i]!, z[i]!)));
      }),
    );
  });

  it('setting one origin leaves the others, and the vector it came from', () => {
    fc.assert(
      fc.property(vector, name, fc.nat().map(seq), (v, origin, n: Seq) => {
        const before = dense(v);
        const next = withSeq(v, origin, n);
        expect(at(next, origin)).toBe(n);
        expect(dense(v)).toEqual(before);
        for (const o of origins(v)) if (o !== origin) expect(at(next, o)).toBe(at(v, o));
      }),
    );
  });

  it('the minimum of no vector is empty: with no member known, nothing is stable', () => {
    expect(minVector([])).toEqual({});
  });
});
