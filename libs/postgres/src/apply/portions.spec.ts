import { portions } from './portions.js';

const lengths = (sizes: readonly number[]): number[] => portions(sizes, (size) => size).map((run) => run.length);

describe('what one statement takes', () => {
  it('is nearly always all', () => {
    expect(lengths([])).toEqual([]);
    expect(lengths([1, 2, 3])).toEqual([3]);
  });

  it('is bounded in rows and in characters, but a row larger than the bound is one of its own', () => {
    expect(lengths(Array.from({ length: 9_000 }, () => 1))).toEqual([4_000, 4_000, 1_000]);
    expect(lengths([9e6, 9e6, 1, 50e6, 1, 1])).toEqual([1, 2, 1, 2]);
  });
});
