import { Suspensions } from './suspensions.js';

describe('a function that takes too much', () => {
  let now = 0;
  let suspensions: Suspensions;
  beforeEach(() => {
    now = 1_000_000;
    suspensions = new Suspensions(() => now);
  });

  const stop = (times: number): void => {
    for (let i = 0; i < times; i++) suspensions.stopped(1);
  };

  it('is suspended when it was stopped twice, and others are not', () => {
    stop(1);
    expect(suspensions.admits(1)).toBe(true);
    stop(1);
    expect(suspensions.admits(1)).toBe(false);
    expect(suspensions.admits(2)).toBe(true);
    expect(suspensions.all()).toEqual([{ id: 1, untilMillis: now + 60_000 }]);
  });

  it('is put up with when it does so now and then', () => {
    for (let i = 0; i < 100; i++) {
      stop(1);
      now += 30_000;
    }
    expect(suspensions.admits(1)).toBe(true);
  });

  it('gets a trial after a minute, and is as good as new when that goes well', () => {
    stop(2);
    now += 59_999;
    expect(suspensions.admits(1)).toBe(false);
    now += 1;
    expect([suspensions.admits(1), suspensions.isOnTrial(1)]).toEqual([true, true]);
    suspensions.ended(1);
    expect([suspensions.admits(1), suspensions.isOnTrial(1)]).toEqual([true, false]);
    stop(1);
    expect(suspensions.admits(1)).toBe(true);
  });

  it('waits twice as long after each trial that fails, an hour at the most', () => {
    stop(2);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { untilMillis } = suspensions.all()[0]!;
      waits.push((untilMillis - now) / 60_000);
      now = untilMillis;
      stop(1);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('may be taken back before', () => {
    stop(2);
    suspensions.lift(1);
    expect(suspensions.admits(1)).toBe(true);
    expect(suspensions.all()).toEqual([]);
  });
});
