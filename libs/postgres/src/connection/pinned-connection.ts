import type { Session } from './session.js';

/** A session of one's own, reserved, so that users who exhaust a pool do not stop replication; opened anew when it was lost. */
export class PinnedConnection<S extends Session = Session> {
  private current: S | undefined;
  private opening: Promise<S> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly open: () => Promise<S>) {}

  /** One at a time: others wait until `work` ends. */
  use<T>(work: (session: S) => Promise<T>): Promise<T> {
    const mine = this.last.then(async () => work(await this.session()));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** Beside others, and sent at once: for single statements, which need neither a transaction nor what the last one left. */
  async share<T>(work: (session: S) => Promise<T>): Promise<T> {
    return work(await this.session());
  }

  /** The session, until `release` is called. */
  async acquire(): Promise<{ readonly session: S; readonly release: () => void }> {
    return new Promise((resolve, reject) => {
      void this.use((session) => new Promise<void>((release) => resolve({ session, release }))).catch(reject);
    });
  }

  async close(): Promise<void> {
    const open = (await this.opening?.catch(() => undefined)) ?? this.current;
    await open?.close();
    this.current = undefined;
  }

  private async session(): Promise<S> {
    if (this.current?.alive === true) return this.current;
    this.opening ??= this.open().finally(() => (this.opening = undefined));
    return (this.current = await this.opening);
  }
}
