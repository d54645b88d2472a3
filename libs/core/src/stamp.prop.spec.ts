import fc from 'fast-check';
import { type Stamp, millisOf, nextStamp, stamp, stampOfMillis } from './stamp.js';

const millis = fc.integer({ min: 0, max: 2 ** 47 });
const anyStamp = fc.bigInt({ min: 0n, max: 2n ** 63n - 2n }).map(stamp);

describe('laws of the hybrid logical clock', () => {
  it('a stamp is above the own last and the highest applied one, whatever the wall clock says (P6)', () => {
    fc.assert(
      fc.property(millis, anyStamp, anyStamp, (now, last, applied) => {
        const next = nextStamp(now, last, applied);
        expect(next > last && next > applied && next >= stampOfMillis(now)).toBe(true);
      }),
    );
  });

  it('stamps of one region rise strictly through clock jumps backwards and many writes in a millisecond', () => {
    fc.assert(
      fc.property(fc.array(millis, { minLength: 2 }), (clock) => {
        let last: Stamp = stamp(0n);
        for (const now of clock) {
          const next = nextStamp(now, last, stamp(0n));
          expect(next > last).toBe(true);
          last = next;
        }
      }),
    );
  });

  it('follows the wall clock when that is ahead', () => {
    fc.assert(
      fc.property(millis, (now) => expect(millisOf(nextStamp(now + 1, stampOfMillis(now), stamp(0n)))).toBe(now + 1)),
    );
  });

  it('takes 65,536 writes within one millisecond before it runs ahead of the clock', () => {
    const first = stampOfMillis(1_000);
    expect(millisOf(stamp(first + 65_535n))).toBe(1_000);
    expect(millisOf(stamp(first + 65_536n))).toBe(1_001);
  });
});
