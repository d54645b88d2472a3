import { type Interpreter, loadInterpreter } from './interpreter.js';
import { SandboxThread } from './sandbox-thread.js';

/**
 * Stand by to take over: starting a thread takes 100 ms, which others would wait for when one was ended. Two, for a function is
 * suspended when it has ended its second one. Each takes 20 MB.
 */
const SPARES = 2;

/** Who closed it, or its region, is not to ask for merges any more. */
export class SandboxClosedError extends Error {
  readonly code = 'sandbox_closed';
  constructor() {
    super('the sandbox of merge functions is closed');
    this.name = 'SandboxClosedError';
  }
}

/** The thread in use and those that stand by; started when the first function comes. */
export class Threads {
  private interpreter: Promise<Interpreter> | undefined;
  /** The first one is in use. */
  private threads: Promise<SandboxThread>[] = [];
  private closed = false;

  /** A living one. */
  async current(): Promise<SandboxThread> {
    this.fill();
    const thread = await this.threads[0]!;
    if (thread.isAlive) return thread;
    void this.threads.shift();
    return this.current();
  }

  /** Whoever may have to take over has started. */
  async ready(): Promise<void> {
    this.fill();
    await Promise.all(this.threads.map(async (thread) => (await thread).started));
  }

  async forget(id: number): Promise<void> {
    await Promise.all(this.threads.map(async (thread) => (await thread).forget(id)));
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.threads.map(async (thread) => (await thread).end()));
  }

  private fill(): void {
    if (this.closed) throw new SandboxClosedError();
    while (this.threads.length < 1 + SPARES) this.threads.push(this.start());
  }

  private async start(): Promise<SandboxThread> {
    return new SandboxThread(await (this.interpreter ??= loadInterpreter()));
  }
}
