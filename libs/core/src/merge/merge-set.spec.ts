import { entry } from '../change/change.builder.js';
import { mergeSet } from './merge-set.js';

/** Capture refuses a local write that takes one out; what was written before the column was a grow-set may have done so. */
it('nobody takes an element out of a grow-set beside another write, of a set whoever had seen it does', () => {
  const takenOut = entry('us', 1, { before: { tags: '{a,b}' }, patch: { tags: '{b}' } });
  const putIn = entry('eu', 1, { before: { tags: '{a,b}' }, patch: { tags: '{a,b,c}' }, seq: 1, deps: {} });
  expect(mergeSet('tags', true, putIn, [takenOut], '{a,b}')).toBe('{a,b,c}');
  expect(mergeSet('tags', true, takenOut, [putIn], '{a,b,c}')).toBe('{a,b,c}');
  expect(mergeSet('tags', false, takenOut, [putIn], '{a,b,c}')).toBe('{b,c}');
});
