import type { ChangeFeed, Relaying } from '@meridian/core';

/** SQL clients and other instances tell nobody: while somebody listens, look this often whether anything was committed. */
const LOOK_MS = 50;

type Notice = 'changed' | 'quiet';

/** One look for all listeners of a process, however many there are. */
export class FeedWaker {
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;
  #mark = '';
  #wakes = 0;

  constructor(
    private readonly feed: ChangeFeed,
    relaying: Relaying,
  ) {
    this.#unsubscribe = relaying.onAdvance(() => this.#wake());
  }

  /** How often it has woken; read before looking, so that nothing falls between the look and the wait. */
  get wakes(): number {
    return this.#wakes;
  }

  /** Resolves when it has woken since `wakes`, or when all was quiet for that long, or at the abort. */
  since(wakes: number, quietMs: number, signal: AbortSignal): Promise<Notice> {
    if (wakes !== this.#wakes || signal.aborted) return Promise.resolve('changed');
    return new Promise((resolve) => {
      const done = (notice: Notice): void => {
        clearTimeout(timer);
        this.#listeners.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve(notice);
      };
      const wake = (): void => done('changed');
      const timer = setTimeout(() => done('quiet'), quietMs);
      this.#listeners.add(wake);
      signal.addEventListener('abort', wake);
      this.#schedule();
    });
  }

  stop(): void {
    this.#unsubscribe();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wake();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    // A database that does not answer is told of by the streams' own reads.
    const mark = await this.feed.mark().catch(() => this.#mark);
    this.#timer = null;
    if (mark !== this.#mark) this.#wake();
    this.#mark = mark;
    if (this.#listeners.size > 0) this.#schedule();
  }

  #wake(): void {
    this.#wakes++;
    for (const listener of [...this.#listeners]) listener();
  }
}
