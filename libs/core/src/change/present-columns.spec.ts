import { entry } from './change.builder.js';
import { beforeOf, patchOf } from './change.js';
import { inPresentColumns } from './present-columns.js';

const columns = {
  renamed: [
    ['n', 'counted'],
    ['x', 'title'],
  ] as const,
  agreed: ['counted', 'title', 'y'],
  counters: ['counted'],
  epoch: 2,
};

describe('a change in the columns that the table has now', () => {
  it('has the names of now, and not what the regions have agreed to do without since it was written', () => {
    const written = { patch: { n: '1', gone: 'g', y: null }, before: { n: '5', gone: 'f', y: 'b' } };
    const now = inPresentColumns(entry('eu', 1, written), columns);
    expect([patchOf(now), beforeOf(now)]).toEqual([
      { counted: '1', y: null },
      { counted: '5', y: 'b' },
    ]);
    const since = inPresentColumns(entry('eu', 1, { ...written, epoch: 2 }), columns);
    expect(patchOf(since)).toEqual({ counted: '1', gone: 'g', y: null });
  });

  it('adds up a counter, and takes the later value, where it was folded from writes under both names', () => {
    const folded = {
      patch: { n: '2', counted: '3', x: 'first', title: null },
      before: { n: '5', counted: '7', x: 'base', title: 'first' },
    };
    const now = inPresentColumns(entry('eu', 1, folded), columns);
    expect([patchOf(now), beforeOf(now)]).toEqual([
      { counted: '5', title: null },
      { counted: '5', title: 'base' },
    ]);
  });

  it('is the change itself where nothing was renamed or dropped', () => {
    const written = entry('eu', 1, { op: 'insert', patch: { n: '1' } });
    expect(inPresentColumns(written, { renamed: [], agreed: [], counters: ['n'], epoch: 1 })).toBe(written);
  });
});
