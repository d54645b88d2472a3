import { type Said, entry } from '../change/change.builder.js';
import { type Entry, concurrent, covers, maximal } from './coverage.js';

const change = (origin: string, id: number, said: Said = {}): Entry => entry(origin, id, said);

/** [what, the later change, the earlier one, had the later's writer seen the earlier?] */
const CASES: readonly [string, Entry, Entry, boolean][] = [
  [
    'a change does not cover itself',
    change('eu', 1, { seq: 1, deps: {} }),
    change('eu', 1, { seq: 1, deps: {} }),
    false,
  ],
  [
    'an earlier tick of the same origin is covered',
    change('eu', 9, { seq: 2, deps: { eu: 1 } }),
    change('eu', 10, { seq: 1, deps: {} }),
    true,
  ],
  [
    'a later tick of the same origin is not',
    change('eu', 1, { seq: 1, deps: {} }),
    change('eu', 2, { seq: 2, deps: { eu: 1 } }),
    false,
  ],
  [
    'within one tick the order of ids decides',
    change('eu', 2, { seq: 1, deps: {} }),
    change('eu', 1, { seq: 1, deps: {} }),
    true,
  ],
  [
    'within one tick nothing covers what follows it',
    change('eu', 1, { seq: 1, deps: {} }),
    change('eu', 2, { seq: 1, deps: {} }),
    false,
  ],
  ['of two local changes in no tick the later id covers the earlier', change('us', 2), change('us', 1), true],
  ['of two local changes in no tick the earlier does not cover the later', change('us', 1), change('us', 2), false],
  [
    'a local change in no tick covers what the own ticks hold',
    change('us', 1),
    change('us', 2, { seq: 3, deps: {} }),
    true,
  ],
  [
    'what a tick holds does not cover a local change in no tick',
    change('us', 2, { seq: 3, deps: {} }),
    change('us', 1),
    false,
  ],
  [
    'deps that reach the other tick cover it',
    change('eu', 1, { seq: 5, deps: { us: 3 } }),
    change('us', 1, { seq: 3, deps: {} }),
    true,
  ],
  [
    'deps that stop before the other tick do not',
    change('eu', 1, { seq: 5, deps: { us: 2 } }),
    change('us', 1, { seq: 3, deps: {} }),
    false,
  ],
  [
    'deps that do not name the other origin do not',
    change('eu', 1, { seq: 5, deps: {} }),
    change('us', 1, { seq: 1, deps: {} }),
    false,
  ],
  [
    'a region called constructor is not named by every deps',
    change('eu', 1, { seq: 5, deps: {} }),
    change('constructor', 1, { seq: 1, deps: {} }),
    false,
  ],
  [
    'deps never cover a remote change that is in no tick',
    change('eu', 1, { seq: 5, deps: { us: 9 } }),
    change('us', 1),
    false,
  ],
  [
    'unseen takes the tick it names out of deps',
    change('eu', 1, { seq: 5, deps: { us: 3 }, unseen: { us: 3 } }),
    change('us', 1, { seq: 3, deps: {} }),
    false,
  ],
  [
    'unseen takes the later ticks out, too',
    change('eu', 1, { seq: 5, deps: { us: 9 }, unseen: { us: 3 } }),
    change('us', 1, { seq: 7, deps: {} }),
    false,
  ],
  [
    'unseen leaves the ticks before it covered',
    change('eu', 1, { seq: 5, deps: { us: 3 }, unseen: { us: 3 } }),
    change('us', 1, { seq: 2, deps: {} }),
    true,
  ],
  [
    'unseen of one origin says nothing of another',
    change('eu', 1, { seq: 5, deps: { us: 3 }, unseen: { ap: 1 } }),
    change('us', 1, { seq: 3, deps: {} }),
    true,
  ],
  [
    'a local change in no tick covers what was applied here',
    change('us', 1),
    change('eu', 1, { seq: 3, deps: {} }),
    true,
  ],
  [
    'a local change in no tick does not cover a recorded race',
    change('us', 1, { unseen: { eu: 3 } }),
    change('eu', 1, { seq: 3, deps: {} }),
    false,
  ],
];

describe('covers', () => {
  it.each(CASES)('%s', (_what, later, earlier, expected) => {
    expect(covers(later, earlier)).toBe(expected);
  });

  it('two changes are concurrent when neither covers the other; a change is not concurrent with itself', () => {
    const a = change('us', 1, { seq: 1, deps: {} });
    const b = change('eu', 1, { seq: 1, deps: {} });
    const c = change('eu', 2, { seq: 2, deps: { eu: 1, us: 1 } });
    expect(concurrent(a, b)).toBe(true);
    expect(concurrent(a, c)).toBe(false);
    expect(concurrent(a, { ...a })).toBe(false);
  });
});

describe('maximal versions', () => {
  const base = change('us', 1, { seq: 1, deps: {} });
  const left = change('us', 2, { seq: 2, deps: { us: 1 } });
  const right = change('eu', 1, { seq: 1, deps: { us: 1 } });
  const both = change('ap', 1, { seq: 1, deps: { us: 2, eu: 1 } });

  it('are those that no other covers', () => {
    expect(maximal([base, left, right])).toEqual([left, right]);
    expect(maximal([base, left, right, both])).toEqual([both]);
    expect(maximal([])).toEqual([]);
  });

  it('do not depend on the order they are given in', () => {
    expect(new Set(maximal([right, base, left]))).toEqual(new Set(maximal([left, right, base])));
  });
});
