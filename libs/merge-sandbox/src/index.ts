export { MergeSandbox, type SuspendedFunction, type TimedOutcome } from './merge-sandbox.js';
export { SandboxClosedError } from './threads.js';
export { NoThreadError } from './work.js';
export type { Compiled } from './compiled.js';
