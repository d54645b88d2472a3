import type { Worker } from 'node:worker_threads';
import type { Task } from './thread/messages.js';

const LOOK_EVERY_MILLIS = 5;
/**
 * What a task's thread may have computed since it was first seen to run. Honest calls take a hundredth; a step count ends what
 * loops, within the same order; this is for builtins that go on for ever within one step. Processor time, not time: on a machine
 * that is busy, or was suspended, an honest call would be ended in one region and not in another. And only its own: a new thread's
 * memory comes page by page from the system, which takes 20 ms for all of it.
 */
const CALL_MILLIS = 20;
/** Twice what it takes to read so many characters and to write half as many. */
const CHARACTERS_A_MILLI = 10_000;
const DEFINE_MILLIS = 250;
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

/** Ends the worker when one task takes too much. Gives what ends the watch. */
export function watch(worker: Worker, running: () => Running): () => void {
  let seen: Seen | undefined;
  let timer = setTimeout(look, LOOK_EVERY_MILLIS);
  let over = false;

  function look(): void {
    const { serial, task } = running();
    worker.cpuUsage().then(
      ({ user }) => {
        if (over) return;
        const now: Seen = { serial, cpuMillis: user / 1_000, atMillis: performance.now() };
        if (task === undefined || seen?.serial !== serial) seen = now;
        else if (takesTooMuch(task, seen, now)) return void worker.terminate();
        timer = setTimeout(look, LOOK_EVERY_MILLIS);
      },
      // It has ended.
      () => undefined,
    );
  }

  return () => {
    over = true;
    clearTimeout(timer);
  };
}

const takesTooMuch = (task: Task, since: Seen, now: Seen): boolean =>
  now.cpuMillis - since.cpuMillis >= cpuMillisOf(task) || now.atMillis - since.atMillis >= WALL_MILLIS;

const cpuMillisOf = (task: Task): number =>
  task.kind === 'call' ? CALL_MILLIS + task.input.length / CHARACTERS_A_MILLI : DEFINE_MILLIS;
