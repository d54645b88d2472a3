import type { Cancellation } from '@meridian/core';

export interface TopicMessage {
  readonly offset: bigint;
  readonly value: Buffer;
}

/** Between kafkajs, which pushes, and the subscriber, who pulls. Bounded in bytes: who pushes waits for room. */
export class MessageQueue {
  private messages: TopicMessage[] = [];
  private bytes = 0;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly maxBytes = 8 * 1024 * 1024) {}

  get full(): boolean {
    return this.bytes >= this.maxBytes;
  }

  push(message: TopicMessage): void {
    this.messages.push(message);
    this.bytes += message.value.length;
    this.changed();
  }

  take(): TopicMessage | null {
    const message = this.messages.shift();
    if (message === undefined) return null;
    this.bytes -= message.value.length;
    this.changed();
    return message;
  }

  clear(): void {
    this.messages = [];
    this.bytes = 0;
    this.changed();
  }

  /** Resolves at the next change, after this time, or when the signal aborts. */
  next(ms: number, signal: Cancellation): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.waiting.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  private changed(): void {
    for (const wake of [...this.waiting]) wake();
  }
}
