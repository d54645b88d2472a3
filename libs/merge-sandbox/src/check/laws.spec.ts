import { callOf } from '../call.builder.js';
import { alwaysThrows, notRepeatable, otherOrder, slow } from './laws.js';
import { Random } from './random.js';
import type { Tried } from './tried.js';

const call = callOf('f', null, { v: '1' }, { v: '2' });
const merged = (v: string, micros = 10): Tried => ({ call, outcome: { kind: 'merged', values: { v }, micros } });
const failed = (because: 'threw' | 'suspended'): Tried => ({
  call,
  outcome: { kind: 'failed', because, detail: 'x', micros: 10 },
});
const twice = (first: readonly Tried[], again: readonly Tried[]) => ({ first, again, orders: first });

describe('what the sandbox itself rules out is looked for all the same:', () => {
  it('another result the second time', () => {
    expect(notRepeatable(twice([merged('1'), merged('2')], [merged('1'), merged('3')]))).toMatchObject([
      { code: 'not_repeatable', example: [merged('2'), merged('3')] },
    ]);
    expect(notRepeatable(twice([merged('1')], [failed('threw')]))).toHaveLength(1);
    expect(notRepeatable(twice([merged('1'), failed('threw')], [merged('1'), failed('threw')]))).toEqual([]);
  });

  it('the versions always in another order', () => {
    const random = new Random(1);
    for (let i = 0; i < 50; i++) expect(otherOrder(call, random).versions).toEqual(call.versions.toReversed());
  });

  it('but a call that was not made says nothing', () => {
    expect(notRepeatable(twice([merged('1')], [failed('suspended')]))).toEqual([]);
  });

  it('a call is slow when both of its runs were', () => {
    expect(slow(twice([merged('1', 900)], [merged('1', 20)]), 100)).toEqual([]);
    expect(slow(twice([merged('1', 900)], [merged('1', 200)]), 100)).toMatchObject([{ code: 'slow' }]);
  });

  it('never merging is more than throwing now and then', () => {
    expect(alwaysThrows([failed('threw'), merged('1')])).toEqual([]);
    expect(alwaysThrows([failed('threw'), failed('threw')])).toMatchObject([{ code: 'always_throws' }]);
    expect(alwaysThrows([])).toEqual([]);
  });
});
