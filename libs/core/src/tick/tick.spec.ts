import type { Change } from '../change/change.js';
import type { JsonText } from '../ids.js';
import { weightOf } from './tick.js';

const change = (chars: number): Change => ({ patch: 'x'.repeat(chars) as JsonText, before: null }) as Change;

describe('a tick’s weight', () => {
  it('is its number of changes, unless they are large', () => {
    expect(weightOf({ changes: [] })).toBe(0);
    expect(weightOf({ changes: [change(10), change(5_000)] })).toBe(2);
    expect(weightOf({ changes: [change(10), change(100_000)] })).toBe(26);
  });
});
