import { join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type Interpreter } from './interpreter.js';
import {
  type Answer,
  type Answers,
  ENDED,
  PROGRESS_FIELDS,
  SENT,
  STARTED,
  type Task,
  type ThreadSetup,
} from './thread/messages.js';
import { type Running, watch } from './watchdog.js';

const ENTRY = join(__dirname, 'thread', 'entry.cjs');

/** `stackSizeMb`: see STACK_BYTES in thread/realm.ts. The interpreter's memory is no part of the heap limited here. */
const LIMITS = { stackSizeMb: 16, maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/**
 * So few calls are waited for on the spot, this long: to be woken by the event loop would take longer than they do (240 to 335 µs
 * a call, of which 80 in the thread: docs/guides/merge-functions.md). Then others get their turn.
 */
const FEW_TASKS = 4;
const AT_ONCE_MILLIS = 0.4;

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
  private readonly port: MessagePort;
  private readonly progress: Int32Array;
  /** Or has ended before. */
  readonly started: Promise<unknown>;
  private readonly gone: Promise<void>;
  private alive = true;
  private sent = 0;

  constructor({ wasm, prelude }: Interpreter) {
    const progress = new SharedArrayBuffer(PROGRESS_FIELDS * Int32Array.BYTES_PER_ELEMENT);
    const { port1: ours, port2: port } = new MessageChannel();
    const workerData: ThreadSetup = { wasm, prelude, port, progress };
    this.port = ours;
    // Neither our flags nor our environment, where a secret may stand.
    this.worker = new Worker(ENTRY, {
      name: 'meridian merge',
      workerData,
      transferList: [port],
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
    const first = Atomics.load(this.progress, STARTED);
    const answers: Answer[] = [];
    this.port.postMessage(tasks);
    this.sent++;
    Atomics.store(this.progress, SENT, this.sent);
    Atomics.notify(this.progress, SENT);
    if (tasks.length <= FEW_TASKS && this.endsAtOnce()) this.takeAll(answers);
    else await this.answered(answers, tasks, first);
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

  /** Has the thread ended the last message within the time that is waited for on the spot? */
  private endsAtOnce(): boolean {
    const until = performance.now() + AT_ONCE_MILLIS;
    for (;;) {
      const ended = Atomics.load(this.progress, ENDED);
      if (ended === this.sent) return true;
      const left = until - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.progress, ENDED, ended, left);
    }
  }

  /** Of a message that has ended. */
  private takeAll(into: Answer[]): void {
    for (let told = this.next(); told !== undefined; told = told.ended ? undefined : this.next())
      into.push(...told.answers);
  }

  private next(): Answers | undefined {
    return receiveMessageOnPort(this.port)?.message as Answers | undefined;
  }

  /** Resolves with the last answers of a message, or with the thread's end. */
  private async answered(into: Answer[], tasks: readonly Task[], first: number): Promise<void> {
    this.worker.ref();
    const unwatch = watch(this.worker, () => this.running(tasks, first));
    let take: ((told: Answers) => void) | undefined;
    const done = new Promise<void>((resolve) => {
      take = ({ answers, ended }) => {
        into.push(...answers);
        if (ended) resolve();
      };
      this.port.on('message', take);
    });
    await Promise.race([done, this.gone]);
    this.port.off('message', take!);
    unwatch();
    this.worker.unref();
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
