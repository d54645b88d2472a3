import type { TableName } from '@meridian/core';
import { foldingIn } from './folding.js';

const table = 'public.items' as TableName;
const at = (epochs: readonly unknown[], epoch: number): string[] =>
  [...foldingIn(JSON.stringify(epochs))({ table, epoch }).counters].sort();

describe('the counters of a change', () => {
  it('are those of its own epoch', () => {
    const epochs = [
      [table, 1, ['n'], [], null],
      [table, 3, ['m', 'n'], [], []],
    ];
    expect([1, 2, 3].map((epoch) => at(epochs, epoch))).toEqual([['n'], [], ['m', 'n']]);
    expect(foldingIn(null)({ table, epoch: 1 }).counters.size).toBe(0);
  });

  it('under every name that they had in this enrolment', () => {
    const renamed = [
      ['n', 'total'],
      ['count', 'total'],
      ['note', 'text'],
    ];
    expect(at([[table, 1, ['n'], [], renamed]], 1)).toEqual(['count', 'n', 'total']);
    expect(at([[table, 2, ['total'], [], renamed]], 2)).toEqual(['count', 'n', 'total']);
  });
});
