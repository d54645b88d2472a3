import type { FeedBus, FeedEvent } from '@meridian/core';

/** The instances of one process: for a region without Redis, and what the Redis bus hands its events to. */
export class MemoryFeedBus implements FeedBus {
  private readonly listeners = new Set<(event: FeedEvent) => void>();

  publish(event: FeedEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  subscribe(listener: (event: FeedEvent) => void): () => void {
    // A function of its own each time, so that one listener may be subscribed twice.
    const own = (event: FeedEvent): void => listener(event);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  async close(): Promise<void> {
    this.listeners.clear();
  }
}
