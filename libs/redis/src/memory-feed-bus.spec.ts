import { regionId, seq, type FeedEvent } from '@meridian/core';
import { MemoryFeedBus } from './memory-feed-bus.js';

describe('the feed bus of one process', () => {
  it('tells every listener until it leaves', () => {
    const bus = new MemoryFeedBus();
    const heard: FeedEvent[] = [];
    const listener = (event: FeedEvent): void => void heard.push(event);
    const leave = bus.subscribe(listener);
    bus.subscribe(listener);
    bus.publish({ kind: 'visible', origin: regionId('eu'), seq: seq(3) });
    expect(heard).toHaveLength(2);
    leave();
    bus.publish({ kind: 'missed' });
    expect(heard).toHaveLength(3);
  });
});
