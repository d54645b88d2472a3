import type { Position, PositionStore } from '@meridian/core';

/**
 * Where the database stands, asked after the caller's own statement. A write's tick cannot be foretold from inside its
 * transaction: ticks may be cut while it waits for a lock, and it would be in a later one than it promised. So it is asked
 * again after the commit; callers share a query that has not begun yet, so under load this costs a fraction of one per write.
 */
export class FreshPosition {
  #running: Promise<Position> | null = null;
  #next: Promise<Position> | null = null;
  #latest: Position | null = null;

  constructor(private readonly store: PositionStore) {}

  /** The last one seen; vectors only grow, so what it covers is covered. */
  get latest(): Position | null {
    return this.#latest;
  }

  /** From a query that begins after this call. */
  read(): Promise<Position> {
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<Position> {
    const running = this.store.position().then((position) => (this.#latest = position));
    this.#running = running;
    const done = (): void => {
      if (this.#running === running) this.#running = null;
    };
    running.then(done, done);
    return running;
  }
}
