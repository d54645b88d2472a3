import type { RegionId } from '../ids.js';
import type { Vector } from '../vector.js';
import { stableCut } from './stable-cut.js';

const members = ['us', 'eu', 'ap'] as RegionId[];
const deps = (of: Record<string, Record<string, number>>) =>
  new Map(Object.entries(of).map(([region, vector]) => [region as RegionId, vector as Vector]));

describe('the stable cut', () => {
  it('is, per origin, what every region is known to have', () => {
    const known = { us: { us: 9, eu: 7, ap: 5 }, eu: { us: 8, eu: 6, ap: 5 }, ap: { us: 3, eu: 6, ap: 4 } };
    expect(stableCut(members, deps(known))).toEqual({ us: 3, eu: 6, ap: 4 });
  });

  it('waits for a member that has never been heard of', () => {
    const cut = stableCut(members, deps({ us: { us: 9, eu: 7 }, eu: { us: 8, eu: 6 } }));
    expect(Object.values(cut).every((n) => n === 0)).toBe(true);
  });

  it('does not pass what one member does not name', () => {
    expect(stableCut(['us', 'eu'] as RegionId[], deps({ us: { us: 2, ap: 5 }, eu: { us: 2 } }))).toEqual({
      us: 2,
      ap: 0,
    });
  });

  it('takes no notice of regions that are no members', () => {
    expect(stableCut(['us'] as RegionId[], deps({ us: { us: 2 }, gone: { us: 1 } }))).toEqual({ us: 2 });
  });
});
