import type { TableName } from '@meridian/core';
import { countersIn } from './counters.js';

const table = 'public.items' as TableName;
const at = (epochs: readonly unknown[], epoch: number): string[] =>
  [...countersIn(JSON.stringify(epochs))({ table, epoch })].sort();

describe('the counters of a change', () => {
  it('are those of its own epoch', () => {
    const epochs = [
      [table, 1, ['n'], null],
      [table, 3, ['m', 'n'], []],
    ];
    expect([1, 2, 3].map((epoch) => at(epochs, epoch))).toEqual([['n'], [], ['m', 'n']]);
    expect([...countersIn(null)({ table, epoch: 1 })]).toEqual([]);
  });

  it('under every name that they had in this enrolment', () => {
    const renamed = [
      ['n', 'total'],
      ['count', 'total'],
      ['note', 'text'],
    ];
    expect(at([[table, 1, ['n'], renamed]], 1)).toEqual(['count', 'n', 'total']);
    expect(at([[table, 2, ['total'], renamed]], 2)).toEqual(['count', 'n', 'total']);
  });
});
