import { VirtualTimers, settled } from './virtual-timers.js';
import { Wakeup } from './wakeup.js';

describe('a wake-up', () => {
  const begin = (signal = new AbortController().signal) => {
    const timers = new VirtualTimers();
    const wakeup = new Wakeup();
    const state = { awake: false };
    const wait = () => void wakeup.wait(100, timers, signal).then(() => (state.awake = true));
    return { timers, wakeup, state, wait };
  };

  it('comes by itself when the time is over', async () => {
    const { timers, state, wait } = begin();
    wait();
    await timers.advance(99);
    expect(state.awake).toBe(false);
    await timers.advance(1);
    expect(state.awake).toBe(true);
  });

  it('ends a sleep early, and leaves no timer behind', async () => {
    const { timers, wakeup, state, wait } = begin();
    wait();
    wakeup.wake();
    await settled();
    expect([state.awake, timers.asleep]).toEqual([true, 0]);
  });

  it('that finds nobody asleep ends the next sleep, and only that', async () => {
    const { timers, wakeup, state, wait } = begin();
    wakeup.wake();
    wakeup.wake();
    wait();
    await settled();
    expect(state.awake).toBe(true);
    state.awake = false;
    wait();
    await settled();
    expect([state.awake, timers.asleep]).toEqual([false, 1]);
  });

  it('comes at once when the signal aborts, and to whoever sleeps after that', async () => {
    const abort = new AbortController();
    const { timers, state, wait } = begin(abort.signal);
    wait();
    abort.abort();
    await settled();
    expect([state.awake, timers.asleep]).toEqual([true, 0]);
    state.awake = false;
    wait();
    await settled();
    expect(state.awake).toBe(true);
  });
});
