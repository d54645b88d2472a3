import type { MergeFailure } from '@meridian/core';

/** What a thread is started with. */
export interface ThreadSetup {
  /** Compiled once for all threads. */
  readonly wasm: WebAssembly.Module;
  /** Text of prelude.js. */
  readonly prelude: string;
  /** [{@link STARTED}]: how many tasks the thread has begun since it was started. Read by the watchdog while it runs. */
  readonly progress: SharedArrayBuffer;
}

export const STARTED = 0;

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
