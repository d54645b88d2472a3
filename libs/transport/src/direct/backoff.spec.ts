import { Backoff } from './backoff.js';

describe('the pause between attempts', () => {
  it('starts small, doubles, is bounded, and starts small again after a success', () => {
    const backoff = new Backoff(50, 2_000, () => 1);
    expect(Array.from({ length: 8 }, () => backoff.nextMs())).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(50);
  });

  it('differs between peers by up to half', () => {
    expect(new Backoff(100, 2_000, () => 0).nextMs()).toBe(50);
  });
});
