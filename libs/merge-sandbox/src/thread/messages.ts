import type { MessagePort } from 'node:worker_threads';
import type { MergeFailure } from '@meridian/core';

/** What a thread is started with. */
export interface ThreadSetup {
  /** Compiled once for all threads. */
  readonly wasm: WebAssembly.Module;
  /** Text of prelude.js. */
  readonly prelude: string;
  /** Tasks come here, and answers go. */
  readonly port: MessagePort;
  /** Integers, by the names below. */
  readonly progress: SharedArrayBuffer;
}

/** How many tasks the thread has begun since it was started. Read by the watchdog while it runs. */
export const STARTED = 0;
/** How many messages it was sent: it sleeps on this, and not in its event loop, from which it takes longer to wake. */
export const SENT = 1;
/** How many it has answered to the end. */
export const ENDED = 2;
export const PROGRESS_FIELDS = 3;

export type Task =
  /** Evaluates a function's text and keeps what it made under `id`. */
  | { readonly kind: 'define'; readonly id: number; readonly source: string }
  | { readonly kind: 'forget'; readonly id: number }
  /** JSON: the function's arguments, and an array of the columns that it has to give. */
  | { readonly kind: 'call'; readonly id: number; readonly input: string; readonly columns: string };

export interface Answer {
  readonly failure: MergeFailure | null;
  /** Of a call that succeeded the values as a JSON array in the order of the columns; of a failure the detail. */
  readonly text: string;
  readonly micros: number;
}

/** Answers in the order of the tasks. `ended`: these are the last ones of the message. */
export interface Answers {
  readonly answers: readonly Answer[];
  readonly ended: boolean;
}
