import { entry, type Said } from '../change/change.builder.js';
import type { RowVersion } from '../ports/row-log.js';
import { relationOf } from '../causality/relation.js';
import { historyItem } from './row-history.js';
import { traced } from './row.builder.js';

const version = (origin: string, id: number, said: Said = {}, more: Partial<RowVersion> = {}): RowVersion =>
  traced(entry(origin, id, said), more);

const first = version('us', 1, { op: 'insert', seq: 1, deps: {} });
const ours = version('us', 2, { seq: 2, deps: {} });
const theirs = version('eu', 3, { seq: 1, deps: { us: 1 } });
const last = version('us', 4);
const window = [last, theirs, ours, first];
const item = (i: number, of = window) => historyItem(of, i, of[i]!, []);

describe('a version among the others of its row', () => {
  it('sees the one before it, or is concurrent with it', () => {
    expect(window.map((_, i) => item(i).sees)).toEqual([true, false, true, null]);
  });

  it('names those of which neither had seen the other, on both sides', () => {
    expect(window.map((_, i) => item(i).concurrentWith)).toEqual([
      [],
      [{ origin: 'us', id: 2 }],
      [{ origin: 'eu', id: 3 }],
      [],
    ]);
  });

  it('does not claim to know what a forgotten tick had seen, but what later ones had is known', () => {
    const old = [
      last,
      { ...theirs, traced: false, entry: { ...theirs.entry, deps: {} } },
      { ...ours, traced: false },
      first,
    ];
    expect(old.map((_, i) => item(i, old).sees)).toEqual([true, null, true, null]);
    expect(old.map((_, i) => item(i, old).concurrentTotal)).toEqual([0, 0, 0, 0]);
    expect(relationOf(old[0]!, old[1]!)).toBe('after');
    expect(relationOf(old[1]!, old[0]!)).toBe('before');
  });

  it('names some where there are thousands, and says how many', () => {
    const many = Array.from({ length: 60 }, (_, i) => version('eu', i + 10, { seq: i + 2, deps: {} }));
    const told = item(60, [...many, ours]);
    expect(told).toMatchObject({ concurrentTotal: 60, sees: null });
    expect(told.concurrentWith).toHaveLength(50);
  });

  it('tells what it wrote and wrote over', () => {
    const written = version('us', 5, { patch: { n: '-1' }, before: { n: '4' }, seq: 7, deps: {} });
    expect(historyItem([written], 0, written, ['n'])).toMatchObject({
      ...{ origin: 'us', id: 5, seq: 7, op: 'update', epoch: 1, values: { n: '-1' }, before: { n: '4' } },
      ...{ increments: ['n'], traced: true, waiting: false },
    });
    expect(item(3).before).toBeNull();
    expect(item(0).seq).toBeNull();
  });
});
