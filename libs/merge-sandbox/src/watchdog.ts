import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Task } from './thread/messages.js';

const LOOK_EVERY_MILLIS = 5;
/**
 * What a task's thread may have computed since it was first seen to run. Honest calls take a thousandth; a step count ends what
 * loops, within the same order; this is for builtins that go on for ever within one step. Processor time, not time: on a machine
 * that is busy, or was suspended, an honest call would be ended in one region and not in another.
 */
const CPU_MILLIS: { readonly [kind in Task['kind']]: number } = { call: 30, define: 250, forget: 250 };
/** However little it computes: nothing in there waits for anything. */
const WALL_MILLIS = 10_000;

/** `serial` differs between any two tasks of a thread. */
export interface Running {
  readonly serial: number;
  readonly task: Task | undefined;
}

interface Seen {
  readonly serial: number;
  readonly cpuMillis: number;
  readonly atMillis: number;
}

/** Ends the worker when one task takes too much, until `signal` aborts. */
export async function watch(worker: Worker, running: () => Running, signal: AbortSignal): Promise<void> {
  let seen: Seen | undefined;
  while (await pause(signal)) {
    const { serial, task } = running();
    const cpuMillis = await cpuMillisOf(worker);
    if (signal.aborted || cpuMillis === GONE) return;
    const atMillis = performance.now();
    if (task === undefined || seen?.serial !== serial) seen = { serial, cpuMillis, atMillis };
    else if (cpuMillis - seen.cpuMillis >= CPU_MILLIS[task.kind] || atMillis - seen.atMillis >= WALL_MILLIS)
      return void (await worker.terminate());
  }
}

const pause = (signal: AbortSignal): Promise<boolean> => sleep(LOOK_EVERY_MILLIS, true, { signal }).catch(() => false);

const GONE = null;

async function cpuMillisOf(worker: Worker): Promise<number | typeof GONE> {
  try {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1000;
  } catch {
    return GONE;
  }
}
