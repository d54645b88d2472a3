import type { Change } from './change.js';
import { entry } from './change.builder.js';
import { foldChanges } from './fold.js';

const COUNTERS = new Set(['n']);
const MERGED = new Set<string>();
const fold = (...changes: Change[]) => foldChanges(changes, () => ({ counters: COUNTERS, merged: MERGED }));
const rank = (id: number) => ({ stamp: BigInt(id), wall: BigInt(id), id });

describe('folding a tick', () => {
  it('merges updates of one row; each column keeps the rank of its own write', () => {
    const [folded, ...more] = fold(
      entry('eu', 1, { patch: { x: '1', y: '1' }, before: { x: '0', y: '0' } }),
      entry('eu', 2, { patch: { x: '2' }, before: { x: '1' } }),
    );
    expect(more).toEqual([]);
    expect(folded).toMatchObject({ op: 'update', id: 2, stamp: 2n, ranks: { y: rank(1) } });
    expect(JSON.parse(folded!.patch!)).toEqual({ x: '2', y: '1' });
    expect(JSON.parse(folded!.before!)).toEqual({ x: '0', y: '0' });
  });

  it('an insert stays an insert, with the rows values as they are in the end and nothing before them', () => {
    const [folded] = fold(
      entry('eu', 1, { op: 'insert', patch: { x: '1', n: '5' } }),
      entry('eu', 2, { patch: { x: '2', n: '-7' }, before: { x: '1', n: '5' } }),
    );
    expect(folded).toMatchObject({ op: 'insert', id: 2, before: null });
    expect(JSON.parse(folded!.patch!)).toEqual({ x: '2', n: '-2' });
  });

  it('a row that changed once passes through as it is', () => {
    const one = entry('eu', 1, { patch: { x: '1' } });
    expect(fold(one)[0]).toBe(one);
  });

  it('two changes of a counter add up exactly, beyond what a JavaScript number holds', () => {
    const [folded] = fold(
      entry('eu', 1, { patch: { n: '9007199254740993' } }),
      entry('eu', 2, { patch: { n: '9007199254740993' } }),
    );
    expect(JSON.parse(folded!.patch!)).toEqual({ n: '18014398509481986' });
  });

  it('a rank that a write brought along (lww by a column) stays with its column', () => {
    const [folded] = fold(
      entry('eu', 1, { patch: { x: '1' }, ranks: { x: { stamp: 1n, wall: 999n, id: 1 } } as never }),
      entry('eu', 2, { patch: { y: '2' } }),
    );
    expect(folded!.ranks).toEqual({ x: { stamp: 1n, wall: 999n, id: 1 } });
  });

  it('different rows, and equal keys of different tables, are not merged', () => {
    expect(
      fold(entry('eu', 1), entry('eu', 2, { key: '["2"]' }), entry('eu', 3, { table: 'public.others' })),
    ).toHaveLength(3);
  });

  it.each<[string, Change, Change]>([
    ['over a delete', entry('eu', 1, { op: 'delete' }), entry('eu', 2, { op: 'insert' })],
    ['a delete over anything', entry('eu', 1), entry('eu', 2, { op: 'delete' })],
    ['over another unseen', entry('eu', 1), entry('eu', 2, { unseen: { us: 3 } })],
    ['over another first seq not seen', entry('eu', 1, { unseen: { us: 4 } }), entry('eu', 2, { unseen: { us: 3 } })],
    ['over another epoch of the policy', entry('eu', 1, { epoch: 1 }), entry('eu', 2, { epoch: 2 })],
  ])('nothing folds %s', (_what, first, second) => {
    expect(fold(first, second)).toEqual([first, second]);
  });

  it('an update folds no further back than the last change of its row', () => {
    const [first, second, third] = [
      entry('eu', 1),
      entry('eu', 2, { unseen: { us: 3 }, patch: { x: '1' } }),
      entry('eu', 3, { patch: { x: '2' } }),
    ];
    expect(fold(first, second, third)).toEqual([first, second, third]);
  });

  it('columns may be called __proto__, constructor and toString', () => {
    const hostile = (value: string): Record<string, string> =>
      JSON.parse(`{"__proto__":"${value}","constructor":"${value}","toString":"${value}"}`) as Record<string, string>;
    const [folded] = fold(entry('eu', 1, { patch: hostile('1') }), entry('eu', 2, { patch: { constructor: '2' } }));
    expect(folded!.patch).toBe('{"__proto__":"1","constructor":"2","toString":"1"}');
    expect(Object.keys(folded!.ranks!).sort()).toEqual(['__proto__', 'toString']);
  });
});

describe('a touch (an update without columns: a child refers to this row)', () => {
  const touch = (id: number) => entry('eu', id, { patch: {} });

  it.each([
    ['an insert', entry('eu', 1, { op: 'insert', patch: { x: '1' } })],
    ['an update', entry('eu', 1, { patch: { x: '1' } })],
  ])('is not folded into %s: beside a delete it keeps the row, whatever the policy (I2)', (_what, first) => {
    expect(fold(first, touch(2))).toEqual([first, touch(2)]);
  });

  it('is folded into another touch: a parent that gets 1,000 children costs one change a tick', () => {
    expect(fold(touch(1), touch(2), touch(3))).toEqual([{ ...touch(3), ranks: null }]);
  });

  it('is not folded with an update that follows it', () => {
    const update = entry('eu', 2, { patch: { x: '1' } });
    expect(fold(touch(1), update)).toEqual([touch(1), update]);
  });
});
