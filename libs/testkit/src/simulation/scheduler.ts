import { Prng } from './prng.js';
import { Trace } from './trace.js';
import { WakeHeap } from './wake-heap.js';

/** Virtual microseconds since the run began. */
export type Micros = number;

export interface SchedulerOptions {
  /** Chance that a process is held up at a step for much longer than the others: what makes rare gaps wide. */
  readonly stallChance: number;
  readonly longestStall: Micros;
}

/** Fifty times what a long run takes. */
const MOST_STEPS = 300_000;

interface Waiting {
  readonly agent: Agent;
  readonly label: string;
  readonly go: () => void;
}

/**
 * Runs asynchronous processes one step at a time in an order that the seed alone decides.
 *
 * Processes are ordinary async functions; whatever they await inside the simulation is in the end a step, a sleep or a
 * wake-up from here. One of the waiting is let go, and the next one is chosen only when no microtask is left: so a further
 * `await` in the code under test changes no interleaving. No timer, no I/O, no wall clock.
 */
export class Scheduler {
  now: Micros = 0;
  steps = 0;
  failure: Error | null = null;
  readonly trace = new Trace();
  private readonly ready: Waiting[] = [];
  private readonly sleeping = new WakeHeap<() => void>();
  private readonly prng: Prng;
  private agents = 0;
  private stalls = true;
  private stopped = false;
  private finish: () => void = () => undefined;

  constructor(
    seed: number,
    private readonly options: SchedulerOptions,
  ) {
    this.prng = Prng.of(seed, 'schedule');
  }

  agent(name: string): Agent {
    return new Agent(this, name, this.agents++);
  }

  /** Starts a process of an agent. An error that leaves it ends the run. */
  spawn(agent: Agent, process: () => Promise<void>): void {
    agent
      .step('start')
      .then(process)
      .catch((error: unknown) => this.fail(error));
  }

  fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.stop();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Resolves when the run was stopped, or when nobody waits any more. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.next();
    });
  }

  /**
   * Nobody stalls any more: one tick at a time, with stalls, takes longer than heartbeats come in, and then some transaction
   * is open at every moment (five regions, seed 830).
   */
  heal(): void {
    this.stalls = false;
  }

  enqueue(agent: Agent, label: string, go: () => void): void {
    const entry = { agent, label, go };
    if (this.stalls && this.options.stallChance > 0 && this.prng.chance(this.options.stallChance))
      this.wakeAt(this.now + this.prng.spread(100, this.options.longestStall), () => this.ready.push(entry));
    else this.ready.push(entry);
  }

  wakeAt(at: Micros, wake: () => void): void {
    this.sleeping.push(at, wake);
  }

  private next(): void {
    if (this.steps >= MOST_STEPS) this.fail(new Error(`no end after ${MOST_STEPS} steps: somebody tries for ever`));
    if (this.stopped) return this.finish();
    this.now += 20;
    this.wakeSleepers();
    while (this.ready.length > 0) {
      const chosen = this.take();
      if (!chosen.agent.alive) continue;
      this.steps++;
      this.trace.note(chosen.agent.index, chosen.label);
      chosen.go();
      // nextTick callbacks that a microtask leaves run once the microtask queue is empty: the cheapest such barrier.
      queueMicrotask(() => process.nextTick(() => this.next()));
      return;
    }
    if (this.sleeping.earliest() === undefined) return this.finish();
    this.now = this.sleeping.earliest()!;
    queueMicrotask(() => process.nextTick(() => this.next()));
  }

  private wakeSleepers(): void {
    for (let at = this.sleeping.earliest(); at !== undefined && at <= this.now; at = this.sleeping.earliest())
      this.sleeping.pop()();
  }

  private take(): Waiting {
    const i = this.prng.between(0, this.ready.length - 1);
    const chosen = this.ready[i]!;
    const last = this.ready.pop()!;
    if (i < this.ready.length) this.ready[i] = last;
    return chosen;
  }
}

/** A process, or several that live and die together (a service): killed, none of them takes another step. */
export class Agent {
  alive = true;
  private readonly onKill: (() => void)[] = [];

  constructor(
    readonly scheduler: Scheduler,
    readonly name: string,
    readonly index: number,
  ) {}

  /** A point at which any other waiting process may run. */
  step(label: string): Promise<void> {
    return new Promise((resolve) => this.scheduler.enqueue(this, label, resolve));
  }

  sleep(micros: Micros): Promise<void> {
    return new Promise((resolve) =>
      this.scheduler.wakeAt(this.scheduler.now + micros, () => this.scheduler.enqueue(this, 'slept', resolve)),
    );
  }

  /** Waits until `queue` is woken ('woken') or the time is over ('timeout'). */
  wait(queue: WaitQueue, timeout: Micros): Promise<'woken' | 'timeout'> {
    return new Promise((resolve) => {
      let over = false;
      const end = (how: 'woken' | 'timeout') => () => {
        if (over) return;
        over = true;
        this.scheduler.enqueue(this, how, () => resolve(how));
      };
      queue.add(end('woken'));
      if (Number.isFinite(timeout)) this.scheduler.wakeAt(this.scheduler.now + timeout, end('timeout'));
    });
  }

  /** What happens outside when the process dies: its connections break. */
  whenKilled(action: () => void): void {
    this.onKill.push(action);
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const action of this.onKill) action();
  }
}

/** Those who wait for one thing; all are woken and look again. */
export class WaitQueue {
  private waiting: (() => void)[] = [];

  add(wake: () => void): void {
    this.waiting.push(wake);
  }

  wakeAll(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }
}
