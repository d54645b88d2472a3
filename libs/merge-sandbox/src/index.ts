export { MergeSandbox, type SuspendedFunction, type TimedOutcome } from './merge-sandbox.js';
export { SandboxClosedError } from './threads.js';
export { NoThreadError } from './work.js';
export type { Compiled } from './compiled.js';
export { type CheckOptions, checkCalls, checkMerge, type MergeCheck, type NewFunction } from './check/check-merge.js';
export type { Finding, ProblemCode, WarningCode } from './check/finding.js';
export type { MergeSamples } from './check/sample-calls.js';
export type { Tried } from './check/tried.js';
