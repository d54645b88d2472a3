import type { Written } from './remedy.js';
import { settlingOf } from './overruled.js';

const ROW = { id: '1', x: 'base', y: '0', n: '5' };
const ANN: Written = { before: { x: 'base', y: '0' }, after: { x: 'ann', y: '1' } };
const settling = (overruled: Written | null, standing: Written | null, present: typeof ROW | null) =>
  settlingOf({ overruled, standing, present, counters: ['n'] });

describe('a decision that another one has overruled', () => {
  it('leaves nothing of what it wrote: the other decision has it, or it is as it was before', () => {
    const bob: Written = { before: { x: 'base' }, after: { x: 'bob' } };
    expect(settling(ANN, bob, { ...ROW, x: 'ann', y: '1' })).toMatchObject({ values: { x: 'bob', y: '0' } });
    expect(settling(ANN, null, { ...ROW, x: 'ann', y: '1' })).toMatchObject({ values: { x: 'base', y: '0' } });
    expect(settling(null, bob, { ...ROW, x: 'bob' })).toEqual({ kind: 'leave' });
  });

  it('takes nothing from who has written since', () => {
    expect(settling(ANN, null, { ...ROW, x: 'later', y: '1' })).toMatchObject({ values: { y: '0' } });
    expect(settling(ANN, null, { ...ROW, x: 'later', y: '2' })).toEqual({ kind: 'leave' });
    expect(settling(ANN, null, null)).toEqual({ kind: 'leave' });
  });

  it('gives back a row that it deleted, and takes away one that the other deleted, or that it inserted', () => {
    const deleted: Written = { before: ROW, after: null };
    expect(settling(deleted, null, null)).toMatchObject({ whole: ROW });
    const bob: Written = { before: { x: 'base' }, after: { x: 'bob' } };
    expect(settling(deleted, bob, null)).toMatchObject({ whole: { ...ROW, x: 'bob' } });
    expect(settling(deleted, deleted, null)).toEqual({ kind: 'leave' });
    expect(settling(deleted, bob, ROW)).toEqual({ kind: 'leave' });
    expect(settling(ANN, deleted, { ...ROW, x: 'ann', y: '1' })).toEqual({ kind: 'delete' });
    expect(settling(ANN, deleted, { ...ROW, x: 'later', y: '2' })).toEqual({ kind: 'leave' });
    expect(settling({ before: null, after: ROW }, null, ROW)).toEqual({ kind: 'delete' });
  });

  it('takes its difference from a counter, to which both were added', () => {
    const by: Written = { before: { n: '5' }, after: { n: '8' } };
    expect(settling(by, null, { ...ROW, n: '20' })).toMatchObject({ values: { n: '17' } });
  });
});
