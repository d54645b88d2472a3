import type { DeliveredTick, RegionId, Vector } from '@meridian/core';
import { settled } from '../virtual-timers.js';
import { Inbox } from './inbox.js';

const EU = 'eu' as RegionId;
const US = 'us' as RegionId;
const delivered = (origin: RegionId, seq: number, changes = 1): DeliveredTick =>
  ({
    tick: { origin, seq, changes: Array(changes).fill({}) },
    position: `${origin}@${seq}`,
  }) as unknown as DeliveredTick;
const applied = (vector: Record<string, number>) => vector as Vector;
const going = { aborted: false };

describe('the inbox', () => {
  it('gives a tick by origin and seq until it is applied', () => {
    const inbox = new Inbox(100);
    inbox.put(delivered(EU, 1));
    inbox.put(delivered(EU, 2));
    expect(inbox.get(EU, 2)?.position).toBe('eu@2');
    expect(inbox.get(US, 2)).toBeUndefined();
    inbox.drop(applied({ eu: 1 }));
    expect([inbox.get(EU, 1), inbox.get(EU, 2)?.tick.seq]).toEqual([undefined, 2]);
  });

  it('counts a tick that comes twice once, and an empty one too', () => {
    const inbox = new Inbox(100);
    inbox.put(delivered(EU, 1, 3));
    inbox.put(delivered(EU, 1, 3));
    inbox.put(delivered(EU, 2, 0));
    expect(inbox.size).toBe(5);
    inbox.drop(applied({ eu: 2 }));
    expect(inbox.size).toBe(0);
  });

  it('keeps a receiver waiting while it is full', async () => {
    const inbox = new Inbox(5);
    inbox.put(delivered(EU, 1, 5));
    let entered = false;
    const waiting = inbox.room(() => false, going).then(() => (entered = true));
    await settled();
    expect(entered).toBe(false);
    inbox.drop(applied({ eu: 1 }));
    await waiting;
  });

  it('always lets the tick in that is the next of its origin: the others may wait for it', async () => {
    const inbox = new Inbox(1);
    inbox.put(delivered(US, 7, 5));
    await inbox.room(() => true, going);
  });

  it('lets a waiting tick in when it becomes the next of its origin, though there still is no room', async () => {
    // us/7 depends on eu/6. eu/5 is applied: eu/6 must come in, or nothing is ever applied again.
    const inbox = new Inbox(3);
    inbox.put(delivered(US, 7, 5));
    inbox.put(delivered(EU, 5));
    let head = 4;
    let entered = false;
    void inbox.room(() => head + 1 >= 6, going).then(() => (entered = true));
    await settled();
    expect(entered).toBe(false);
    head = 5;
    inbox.drop(applied({ eu: 5 }));
    await settled();
    expect([inbox.hasRoom(), entered]).toEqual([false, true]);
  });

  it('ends every wait at shutdown', async () => {
    const inbox = new Inbox(1);
    inbox.put(delivered(EU, 1));
    const signal = { aborted: false };
    const waiting = inbox.room(() => false, signal);
    signal.aborted = true;
    inbox.release();
    await waiting;
  });
});
