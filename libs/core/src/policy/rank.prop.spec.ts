import fc from 'fast-check';
import type { Entry } from '../causality/coverage.js';
import { entry } from '../change/change.builder.js';
import type { RegisterPolicy } from './table-policy.js';
import { compareRank, winner } from './rank.js';

const small = fc.integer({ min: 1, max: 3 });
const version: fc.Arbitrary<Entry> = fc
  .record({
    origin: fc.constantFrom('us', 'eu', 'ap'),
    id: small,
    value: fc.constantFrom('1', '1.0', '2', null),
    stamp: small,
    wall: small,
    ranked: fc.option(fc.record({ stamp: small, wall: small, id: small })),
  })
  .map(({ origin, id, value, stamp, wall, ranked }) =>
    entry(origin, id, {
      stamp,
      wall,
      patch: { x: value },
      ranks:
        ranked === null
          ? null
          : ({ x: { stamp: BigInt(ranked.stamp), wall: BigInt(ranked.wall), id: ranked.id } } as never),
    }),
  );
const policy = fc.constantFrom<RegisterPolicy>(
  { kind: 'hlc' },
  { kind: 'lww', column: null },
  { kind: 'first-write' },
  { kind: 'region-priority', regions: ['ap', 'us'] },
  { kind: 'max', order: 'number' },
  { kind: 'min', order: 'number' },
  { kind: 'manual' },
  { kind: 'register' },
);

describe('laws of ranking', () => {
  it('is a total order: antisymmetric and transitive, and equal only for one change at one rank', () => {
    fc.assert(
      fc.property(policy, version, version, version, (p, a, b, c) => {
        const order = (x: Entry, y: Entry) => Math.sign(compareRank(p, ['x'], x, y));
        expect(order(a, b)).toBe(-order(b, a) + 0);
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
        if (order(a, b) === 0) expect(a.origin).toBe(b.origin);
      }),
    );
  });

  it('the winner does not depend on the order of the versions (I6)', () => {
    const versions = fc.uniqueArray(version, { minLength: 1, maxLength: 5, selector: (e) => e.origin });
    fc.assert(
      fc.property(
        policy,
        versions.chain((v) => fc.tuple(fc.constant(v), fc.shuffledSubarray(v, { minLength: v.length }))),
        (p, [some, shuffled]) => expect(winner(p, ['x'], shuffled)).toBe(winner(p, ['x'], some)),
      ),
    );
  });

  it.each<[string, RegisterPolicy, Entry, Entry]>([
    [
      'hlc: the higher stamp wins, whatever the wall clocks say',
      { kind: 'hlc' },
      entry('us', 1, { stamp: 2, wall: 1 }),
      entry('eu', 1, { stamp: 1, wall: 9 }),
    ],
    [
      'lww: the later wall clock wins, whatever the stamps say',
      { kind: 'lww', column: null },
      entry('us', 1, { stamp: 1, wall: 9 }),
      entry('eu', 1, { stamp: 2, wall: 1 }),
    ],
    [
      'lww: equal wall clocks leave it to the stamp',
      { kind: 'lww', column: null },
      entry('us', 1, { stamp: 2, wall: 9 }),
      entry('eu', 1, { stamp: 1, wall: 9 }),
    ],
    [
      'equal stamps leave it to the name of the region',
      { kind: 'hlc' },
      entry('us', 1, { stamp: 1 }),
      entry('eu', 9, { stamp: 1 }),
    ],
    [
      'first-write: the lower stamp wins',
      { kind: 'first-write' },
      entry('eu', 9, { stamp: 1 }),
      entry('us', 1, { stamp: 2 }),
    ],
    [
      'region-priority: the region that is named first wins, whatever the stamps say',
      { kind: 'region-priority', regions: ['eu', 'us'] },
      entry('eu', 1, { stamp: 1 }),
      entry('us', 1, { stamp: 2 }),
    ],
    [
      'region-priority: of regions that are not named the higher stamp wins, and a named one over both',
      { kind: 'region-priority', regions: ['us'] },
      entry('us', 1, { stamp: 1 }),
      entry('eu', 1, { stamp: 2 }),
    ],
    [
      'max: the greatest value wins',
      { kind: 'max', order: 'number' },
      entry('eu', 1, { stamp: 1, patch: { x: '10' } }),
      entry('us', 1, { stamp: 2, patch: { x: '9' } }),
    ],
    [
      'min: NULL does not win',
      { kind: 'min', order: 'number' },
      entry('eu', 1, { stamp: 1, patch: { x: '10' } }),
      entry('us', 1, { stamp: 2, patch: { x: null } }),
    ],
    [
      'flag: enabling wins',
      { kind: 'flag', wins: 'enable' },
      entry('eu', 1, { stamp: 1, patch: { x: 'true' } }),
      entry('us', 1, { stamp: 2, patch: { x: 'false' } }),
    ],
    [
      'flag: disabling wins',
      { kind: 'flag', wins: 'disable' },
      entry('eu', 1, { stamp: 1, patch: { x: 'false' } }),
      entry('us', 1, { stamp: 2, patch: { x: 'true' } }),
    ],
  ])('%s', (_what, p, won, lost) => {
    expect(winner(p, ['x'], [won, lost])).toBe(won);
    expect(winner(p, ['x'], [lost, won])).toBe(won);
  });

  it('a group was written when the last of its columns was', () => {
    const early = { stamp: 1n, wall: 1n, id: 1 };
    const late = { stamp: 9n, wall: 9n, id: 2 };
    const grouped = entry('eu', 3, { stamp: 10, ranks: { a: early, b: late } as never });
    expect(winner({ kind: 'hlc' }, ['a', 'b'], [entry('us', 1, { stamp: 8 }), grouped])).toBe(grouped);
    expect(winner({ kind: 'hlc' }, ['a'], [entry('us', 1, { stamp: 8 }), grouped]).origin).toBe('us');
  });
});
