import { isLocalFailure, type MergeCall, type MergeOutcome } from '@meridian/core';
import type { TimedOutcome } from '../merge-sandbox.js';

/** The sandbox, or whatever else runs a function: that may not know how long its calls take. */
export interface CheckedFunctions {
  run(calls: readonly MergeCall[]): Promise<readonly (MergeOutcome & { readonly micros?: number })[]>;
}

export interface Tried {
  readonly call: MergeCall;
  readonly outcome: TimedOutcome;
}

export async function tried(functions: CheckedFunctions, calls: readonly MergeCall[]): Promise<Tried[]> {
  const outcomes = await functions.run(calls);
  return calls.map((call, i) => ({ call, outcome: { micros: 0, ...outcomes[i]! } }));
}

/** Failing in other words is failing alike; what was stopped, or not tried, says nothing of the other. */
export function cameOutAlike({ outcome: a }: Tried, { outcome: b }: Tried): boolean {
  if (wasNotTaken(a) || wasNotTaken(b)) return true;
  if (a.kind === 'merged' && b.kind === 'merged') return JSON.stringify(a.values) === JSON.stringify(b.values);
  return a.kind === 'failed' && b.kind === 'failed' && a.because === b.because;
}

const wasNotTaken = (outcome: MergeOutcome): boolean => outcome.kind === 'failed' && isLocalFailure(outcome.because);
