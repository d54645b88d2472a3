import { type Change, type Cut, type RegionId, type Seq, type Tick, type TickStore, stamp } from '@meridian/core';
import { VirtualTimers } from '../virtual-timers.js';
import { Relay } from './relay.js';
import { type Pace, RelayLoop } from './relay-loop.js';

const US = 'us' as RegionId;
const PACE: Pace = { tickIntervalMs: 2, pollIntervalMs: 20, heartbeatMs: 1_000 };

/** A region's log of which only the number of changes matters. */
class MemoryTicks implements TickStore {
  readonly region = US;
  readonly log: string[] = [];
  private unshipped = 0;
  private head = 0;
  failure: Error | null = null;

  write(): void {
    this.unshipped++;
  }

  hasMoved = async () => this.unshipped > 0;

  async openCut(): Promise<Cut> {
    const change = { table: 't', op: 'insert', patch: '{}', before: null, actor: '', ranks: null, unseen: null };
    const changes = Array.from(
      { length: this.unshipped },
      (_, i) => ({ ...change, key: `[${i}]` }) as unknown as Change,
    );
    const seq = (this.head + 1) as Seq;
    return {
      header: { origin: US, seq, deps: {}, stamp: stamp(1n), wall: 1n, previous: '' },
      folding: () => ({ counters: new Set<string>(), merged: new Set<string>() }),
      changes: async () => {
        if (this.failure !== null) throw this.failure;
        return changes;
      },
      commit: async (tick) => {
        this.head = tick.seq;
        this.unshipped -= tick.changes.length;
        this.log.push(`commit ${tick.seq}`);
      },
      abandon: async () => void this.log.push('abandon'),
    };
  }

  readTicks = async () => [];
  lastDeps = async () => new Map();
  dropBelow = async () => 0;
}

function begin(pace = PACE) {
  const timers = new VirtualTimers();
  const store = new MemoryTicks();
  const abort = new AbortController();
  const published: { readonly at: number; readonly tick: Tick }[] = [];
  const relay = new Relay(store, () => 'digest');
  const loop = new RelayLoop(
    relay,
    async (tick) => {
      store.log.push(`publish ${tick.seq}`);
      published.push({ at: timers.now(), tick });
    },
    timers,
    pace,
  );
  const running = loop.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await running;
  };
  return { timers, store, loop, published, stop, running };
}

describe('the relay', () => {
  it('commits a tick before it is published, and opens no cut when nothing has been committed since', async () => {
    const { timers, store, stop } = begin();
    await timers.advance(0);
    expect(store.log).toEqual(['commit 1', 'publish 1']);
    await timers.advance(100);
    expect(store.log).toHaveLength(2);
    await stop();
  });

  it('gives up the cut when what was committed is nothing to ship', async () => {
    const { timers, store, stop } = begin();
    await timers.advance(0);
    store.hasMoved = async () => true;
    await timers.advance(2);
    expect(store.log.slice(2)).toEqual(['abandon']);
    await stop();
  });

  it('gives up the cut when reading its changes fails, and says so', async () => {
    const { timers, store, running } = begin();
    store.failure = new Error('connection lost');
    const failed = expect(running).rejects.toThrow('connection lost');
    await timers.advance(0);
    await failed;
    expect(store.log).toEqual(['abandon']);
  });
});

describe('the pace of the relay', () => {
  it('beats every second when idle', async () => {
    const { timers, published, stop } = begin();
    await timers.advance(5_000);
    expect(published.length).toBeGreaterThanOrEqual(5);
    const gaps = published.slice(1).map((p, i) => p.at - published[i]!.at);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000 + PACE.pollIntervalMs);
    await stop();
  });

  it('beats in time also when it looks for writes more rarely than it beats', async () => {
    const { timers, published, stop } = begin({ ...PACE, pollIntervalMs: 5_000 });
    await timers.advance(4_500);
    expect(published.map((p) => p.at)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    await stop();
  });

  it('finds the write of an SQL client, who wakes nobody, within the poll interval', async () => {
    const { timers, store, published, stop } = begin();
    await timers.advance(500);
    store.write();
    await timers.advance(PACE.pollIntervalMs);
    expect(published.at(-1)!.tick.changes).toHaveLength(1);
    await stop();
  });

  it('cuts at once when the service itself has written', async () => {
    const { timers, store, loop, published, stop } = begin();
    await timers.advance(505);
    store.write();
    loop.wake();
    await timers.advance(0);
    expect(published.at(-1)).toMatchObject({ at: 505, tick: { seq: 2 } });
    await stop();
  });

  it('lets the tick interval pass between two ticks under load, however often it is woken', async () => {
    const { timers, store, loop, published, stop } = begin({ ...PACE, tickIntervalMs: 10 });
    for (let i = 0; i < 100; i++) {
      if (i % 5 === 0) store.write();
      loop.wake();
      await timers.advance(1);
    }
    const gaps = published.slice(1).map((p, i) => p.at - published[i]!.at);
    expect(new Set(gaps)).toEqual(new Set([10]));
    await stop();
  });

  it.each([
    [1, 3],
    [103, 23],
    [400, 40],
  ])(
    'rests longer the more comes: %i changes in 103 ms, cut in 3, are followed by %i ms without a tick',
    async (changes, rest) => {
      const { timers, store, loop, published, stop } = begin();
      await timers.advance(100);
      const openCut = store.openCut.bind(store);
      store.openCut = () => timers.sleep(3, new AbortController().signal).then(openCut);
      for (let i = 0; i < changes; i++) store.write();
      loop.wake();
      await timers.advance(3);
      const { at } = published.at(-1)!;
      for (let i = 0; i < 60; i++) {
        store.write();
        loop.wake();
        await timers.advance(1);
      }
      expect(published.find((p) => p.at > at)!.at - at).toBe(rest + 3);
      store.openCut = openCut;
      await timers.advance(3);
      await stop();
    },
  );

  it('cuts up to a promised seq without waiting for a heartbeat: a session token names it', async () => {
    const { timers, loop, published, stop } = begin();
    await timers.advance(100);
    loop.promise(3 as Seq);
    await timers.advance(PACE.tickIntervalMs);
    expect(published.map((p) => [p.tick.seq, p.at])).toEqual([
      [1, 0],
      [2, 100],
      [3, 100 + PACE.tickIntervalMs],
    ]);
    loop.promise(2 as Seq);
    await timers.advance(100);
    expect(published).toHaveLength(3);
    await stop();
  });
});
