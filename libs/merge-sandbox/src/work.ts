import type { MergeFailure } from '@meridian/core';
import type { CallText } from './call-text.js';
import type { SandboxThread } from './sandbox-thread.js';
import type { Suspensions } from './suspensions.js';
import type { Answer, Task } from './thread/messages.js';
import type { Threads } from './threads.js';

export interface Definition {
  readonly id: number;
  readonly source: string;
}

/** A call on its way; `answer` is called once. */
export interface Job {
  readonly definition: Definition;
  readonly text: CallText;
  readonly answer: (answer: Answer) => void;
}

/** Of one message: its texts are in memory twice until they are answered. */
const MESSAGE_CALLS = 1_000;
const MESSAGE_CHARACTERS = 4_000_000;

/** Threads that ended before they had begun with anything, one after another: then there is no use in starting more. */
const VAIN_STARTS = 3;

export class NoThreadError extends Error {
  readonly code = 'no_thread';
  constructor() {
    super(
      `${VAIN_STARTS} threads for merge functions ended as soon as they were started: is there memory left, and what is the limit of threads?`,
    );
    this.name = 'NoThreadError';
  }
}

/**
 * Answers all jobs. A message ends with the first call that took too much: what had been sent behind it is sent again, or fails at
 * once, for its function may be suspended by now. A thread that was ended has one culprit, the call that it ran.
 */
export async function work(jobs: readonly Job[], threads: Threads, suspensions: Suspensions): Promise<void> {
  let pending = withoutSuspended(jobs, suspensions);
  let vain = 0;
  while (pending.length > 0) {
    const thread = await threads.current();
    const { tasks, jobOf } = message(nextCalls(pending), thread);
    const { answers, culprit } = await thread.run(tasks);
    const done = new Set<Job | null>();
    for (const [i, answer] of answers.entries()) {
      if (jobOf[i] == null) continue;
      done.add(jobOf[i]);
      settle(jobOf[i], answer, suspensions);
    }
    if (culprit !== null) {
      suspensions.stopped(tasks[culprit]!.id);
      if (jobOf[culprit] != null) jobOf[culprit].answer(STOPPED);
      done.add(jobOf[culprit] ?? null);
    }
    vain = thread.isAlive || culprit !== null ? 0 : vain + 1;
    const left = pending.filter((job) => !done.has(job));
    if (vain === VAIN_STARTS) throw new NoThreadError();
    pending = withoutSuspended(left, suspensions);
  }
}

function settle(job: Job, answer: Answer, suspensions: Suspensions): void {
  suspensions.ended(job.definition.id);
  job.answer(answer);
}

function withoutSuspended(jobs: readonly Job[], suspensions: Suspensions): Job[] {
  return jobs.filter((job) => {
    const admitted = suspensions.admits(job.definition.id);
    if (!admitted) job.answer(SUSPENDED);
    return admitted;
  });
}

/** As many as one message takes. */
function nextCalls(pending: readonly Job[]): readonly Job[] {
  let characters = 0;
  const end = pending.findIndex(({ text }, i) => {
    characters += text.input.length;
    return i > 0 && (i === MESSAGE_CALLS || characters > MESSAGE_CHARACTERS);
  });
  return end === -1 ? pending : pending.slice(0, end);
}

/** With the definitions that this thread lacks in front. */
function message(jobs: readonly Job[], thread: SandboxThread): { tasks: Task[]; jobOf: (Job | null)[] } {
  const lacking = new Map<number, Task>();
  for (const { definition } of jobs)
    if (!thread.defined.has(definition.id)) lacking.set(definition.id, { kind: 'define', ...definition });
  const calls = jobs.map((job): Task => ({ kind: 'call', id: job.definition.id, ...job.text }));
  return { tasks: [...lacking.values(), ...calls], jobOf: [...[...lacking].map(() => null), ...jobs] };
}

export const failed = (failure: MergeFailure, text: string): Answer => ({ failure, text, micros: 0 });

const STOPPED = failed('timed out', 'it computed for too long inside one builtin, and its thread was ended');
const SUSPENDED = failed('suspended', 'calls of it took too much lately: it is tried again later');
