import type { Session } from './session.js';

/** A session of one's own, reserved, so that users who exhaust a pool do not stop replication; opened anew when it was lost. */
export class PinnedConnection<S extends Session = Session> {
  private current: S | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly open: () => Promise<S>) {}

  /** One at a time: others wait until `work` ends. */
  use<T>(work: (session: S) => Promise<T>): Promise<T> {
    const mine = this.last.then(async () => work(await this.session()));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** The session, until `release` is called. */
  async acquire(): Promise<{ readonly session: S; readonly release: () => void }> {
    return new Promise((resolve, reject) => {
      void this.use((session) => new Promise<void>((release) => resolve({ session, release }))).catch(reject);
    });
  }

  async close(): Promise<void> {
    await this.current?.close();
    this.current = undefined;
  }

  private async session(): Promise<S> {
    if (this.current?.alive !== true) this.current = await this.open();
    return this.current;
  }
}
