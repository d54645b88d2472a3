import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Interpreter } from './interpreter.js';
import { type Answer, type Answers, STARTED, type Task, type ThreadSetup } from './thread/messages.js';
import { type Running, watch } from './watchdog.js';

const ENTRY = join(__dirname, 'thread', 'entry.cjs');

/** `stackSizeMb`: see STACK_BYTES in thread/realm.ts. The interpreter's memory is no part of the heap limited here. */
const LIMITS = { stackSizeMb: 16, maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

export interface Ran {
  /** Of the first tasks, in their order; a thread that is well gives the others back. */
  readonly answers: readonly Answer[];
  /** The task that ran when the thread ended; null: it has not ended, or had not begun. */
  readonly culprit: number | null;
}

/** One worker thread with one interpreter, seen from outside. It ends when a task takes too much, and is not used again. */
export class SandboxThread {
  /** Functions that it knows, by id. */
  readonly defined = new Set<number>();
  private readonly worker: Worker;
  private readonly progress: Int32Array;
  /** Or has ended before. */
  readonly started: Promise<unknown>;
  private readonly gone: Promise<void>;
  private alive = true;

  constructor({ wasm, prelude }: Interpreter) {
    const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const workerData: ThreadSetup = { wasm, prelude, progress };
    // Neither our flags nor our environment, where a secret may stand.
    this.worker = new Worker(ENTRY, {
      name: 'meridian merge',
      workerData,
      execArgv: [],
      env: {},
      resourceLimits: LIMITS,
    });
    this.progress = new Int32Array(progress);
    this.gone = new Promise((resolve) => this.worker.once('exit', () => resolve()));
    void this.gone.then(() => (this.alive = false));
    // Whoever ran a task is told by `culprit`; an error event without a listener would end the service.
    this.worker.on('error', () => (this.alive = false));
    this.started = Promise.race([new Promise((resolve) => this.worker.once('message', resolve)), this.gone]);
    // A service that ends does not wait for a thread that has nothing to do.
    void this.started.then(() => this.worker.unref());
  }

  get isAlive(): boolean {
    return this.alive;
  }

  /** One message at a time. */
  async run(tasks: readonly Task[]): Promise<Ran> {
    await this.started;
    if (!this.alive) return { answers: [], culprit: null };
    this.worker.ref();
    const first = Atomics.load(this.progress, STARTED);
    const answers: Answer[] = [];
    const unwatch = watch(this.worker, () => this.running(tasks, first));
    const done = this.answered(answers);
    this.worker.postMessage(tasks);
    await Promise.race([done, this.gone]);
    unwatch();
    this.worker.unref();
    this.remember(tasks, answers);
    return { answers, culprit: this.alive ? null : this.unfinished(first, answers.length) };
  }

  async forget(id: number): Promise<void> {
    if (this.defined.delete(id)) await this.run([{ kind: 'forget', id }]);
  }

  async end(): Promise<void> {
    this.alive = false;
    await this.worker.terminate();
  }

  /** Resolves with the last answers of a message. */
  private answered(into: Answer[]): Promise<void> {
    return new Promise((resolve) => {
      const take = ({ answers, ended }: Answers): void => {
        into.push(...answers);
        if (!ended) return;
        this.worker.off('message', take);
        resolve();
      };
      this.worker.on('message', take);
    });
  }

  private remember(tasks: readonly Task[], answers: readonly Answer[]): void {
    for (const [i, { failure }] of answers.entries())
      if (tasks[i]!.kind === 'define' && failure === null) this.defined.add(tasks[i]!.id);
  }

  private unfinished(first: number, answered: number): number | null {
    const begun = Atomics.load(this.progress, STARTED) - first;
    return begun > answered ? begun - 1 : null;
  }

  private running(tasks: readonly Task[], first: number): Running {
    const serial = Atomics.load(this.progress, STARTED);
    return { serial, task: tasks[serial - first - 1] };
  }
}
