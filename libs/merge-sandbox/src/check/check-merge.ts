import type { MergeCall, MergeFunctionRef } from '@meridian/core';
import type { MergeSandbox } from '../merge-sandbox.js';
import type { Finding, ProblemCode, WarningCode } from './finding.js';
import { groupings } from './grouping.js';
import {
  alwaysThrows,
  equalVersions,
  failures,
  notRepeatable,
  orderMatters,
  otherOrder,
  slow,
  sometimesThrows,
  type ThreeTimes,
} from './laws.js';
import { Random } from './random.js';
import { type MergeSamples, sampleCalls } from './sample-calls.js';
import { type CheckedFunctions, type Tried, tried } from './tried.js';

export interface NewFunction extends MergeFunctionRef {
  readonly source: string;
}

export interface MergeCheck {
  /** Refused: there are problems. */
  readonly verdict: 'accepted' | 'refused';
  readonly problems: readonly Finding<ProblemCode>[];
  readonly warnings: readonly Finding<WarningCode>[];
  /** Sets of versions tried: not all of them when there is a problem. */
  readonly samples: number;
  readonly seed: number;
}

export interface CheckOptions {
  /** Of random samples, and the most of recorded ones. */
  readonly count?: number;
  readonly seed?: number;
  /** A call may take no longer, in the better of two runs. A tenth of what the watchdog lets pass. */
  readonly slowestMicros?: number;
}

/** A function that takes too much is found out before it has taken it six hundred times. */
const CALLS_AT_A_TIME = 20;
const SEED = 1;

/**
 * Runs a new function on recorded and random versions, and refuses it, with a counterexample, when it cannot be relied upon to
 * give all regions one value. The sandbox should be one for checks only: calls of a region's own would wait for these.
 */
export async function checkMerge(
  sandbox: MergeSandbox,
  { name, version, source }: NewFunction,
  samples: MergeSamples,
  options: CheckOptions = {},
): Promise<MergeCheck> {
  const ref = { name: `checked ${name}`, version };
  const compiled = await sandbox.compile(ref.name, ref.version, source);
  if (compiled.kind === 'refused') {
    const detail = `it cannot be used (${compiled.because}): ${compiled.detail}`;
    const problems = [{ code: 'not_compiled' as const, detail, example: [] }];
    return { verdict: 'refused', problems, warnings: [], samples: 0, seed: options.seed ?? SEED };
  }
  try {
    return await checkCalls(sandbox, ref, samples, options);
  } finally {
    await sandbox.forget(ref);
  }
}

/** The same of a function that is there already, whatever runs it. */
export async function checkCalls(
  functions: CheckedFunctions,
  ref: MergeFunctionRef,
  samples: MergeSamples,
  { count = 200, seed = SEED, slowestMicros = 3_000 }: CheckOptions = {},
): Promise<MergeCheck> {
  const random = new Random(seed);
  const calls = sampleCalls(ref, samples, random, count);
  const first: Tried[] = [];
  const problems: Finding<ProblemCode>[] = [];
  for (let from = 0; from < calls.length && problems.length === 0; from += CALLS_AT_A_TIME) {
    const part = await threeTimes(functions, calls.slice(from, from + CALLS_AT_A_TIME), random);
    first.push(...part.first);
    problems.push(...failures(part.first), ...notRepeatable(part), ...orderMatters(part), ...slow(part, slowestMicros));
  }
  if (problems.length === 0) problems.push(...alwaysThrows(first));
  const warnings = [...sometimesThrows(first), ...equalVersions(first), ...(await groupings(functions, first))];
  return { verdict: problems.length > 0 ? 'refused' : 'accepted', problems, warnings, samples: first.length, seed };
}

async function threeTimes(
  functions: CheckedFunctions,
  calls: readonly MergeCall[],
  random: Random,
): Promise<ThreeTimes> {
  const first = await tried(functions, calls);
  // The other way round: whatever a call leaves behind meets another one.
  const again = (await tried(functions, calls.toReversed())).reverse();
  const orders = await tried(
    functions,
    calls.map((call) => otherOrder(call, random)),
  );
  return { first, again, orders };
}
