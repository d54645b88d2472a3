import { isLocalFailure, type MergeCall, type MergeOutcome } from '@meridian/core';
import type { MergeSandbox, TimedOutcome } from '../merge-sandbox.js';

export interface Tried {
  readonly call: MergeCall;
  readonly outcome: TimedOutcome;
}

export async function tried(sandbox: MergeSandbox, calls: readonly MergeCall[]): Promise<Tried[]> {
  const outcomes = await sandbox.run(calls);
  return calls.map((call, i) => ({ call, outcome: outcomes[i]! }));
}

/** Failing in other words is failing alike; what was stopped, or not tried, says nothing of the other. */
export function cameOutAlike({ outcome: a }: Tried, { outcome: b }: Tried): boolean {
  if (wasNotTaken(a) || wasNotTaken(b)) return true;
  if (a.kind === 'merged' && b.kind === 'merged') return JSON.stringify(a.values) === JSON.stringify(b.values);
  return a.kind === 'failed' && b.kind === 'failed' && a.because === b.because;
}

const wasNotTaken = (outcome: MergeOutcome): boolean => outcome.kind === 'failed' && isLocalFailure(outcome.because);
