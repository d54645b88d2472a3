import type { MergeCall, MergeFailure } from '@meridian/core';
import { callText } from '../call-text.js';
import { type Finding, found, type ProblemCode, type WarningCode } from './finding.js';
import type { Random } from './random.js';
import { cameOutAlike, type Tried } from './tried.js';

type Problems = Finding<ProblemCode>[];
type Warnings = Finding<WarningCode>[];

/** The same calls again, and with their versions in another order. */
export interface ThreeTimes {
  readonly first: readonly Tried[];
  readonly again: readonly Tried[];
  readonly orders: readonly Tried[];
}

export function failures(all: readonly Tried[]): Problems {
  const first = (...because: readonly MergeFailure[]): Tried[] | undefined => {
    const one = all.find(({ outcome }) => outcome.kind === 'failed' && because.includes(outcome.because));
    return one === undefined ? undefined : [one];
  };
  const wrong = first('not a value', 'too large');
  const endless = first('out of steps', 'out of memory', 'timed out', 'suspended');
  return [
    ...found('wrong_result', `it gives what no row can take: ${told(wrong)}`, wrong),
    ...found('takes_too_much', `it takes more than a call may have: ${told(endless)}`, endless),
  ];
}

export function alwaysThrows(all: readonly Tried[]): Problems {
  if (all.length === 0 || !all.every((t) => threw(t))) return [];
  const example = [all[0]!];
  return found('always_throws', `it has not merged any of the samples: ${told(example)}`, example);
}

export const notRepeatable = ({ first, again }: ThreeTimes): Problems =>
  found(
    'not_repeatable',
    'the same versions came out otherwise the second time: let the result follow from the arguments alone',
    unequalPair(first, again),
  );

export const orderMatters = ({ first, orders }: ThreeTimes): Problems =>
  found(
    'order_matters',
    'the same versions in another order came out otherwise: sort them, by what they say or by stamp and origin, before their order counts',
    unequalPair(first, orders),
  );

/** What reading and writing long values takes is not the function's. */
const MICROS_A_CHARACTER = 0.1;

/** The better of two runs: a machine that is busy makes one slow, and rarely both. */
export function slow({ first, again }: ThreeTimes, limitMicros: number): Problems {
  const micros = first.map((t, i) => {
    const better = Math.min(t.outcome.micros, again[i]!.outcome.micros);
    return better - callText(t.call).input.length * MICROS_A_CHARACTER;
  });
  const at = micros.findIndex((took) => took > limitMicros);
  if (at === -1) return [];
  const took = Math.round(micros[at]!);
  return found('slow', `a call takes ${took} µs, and may take ${limitMicros}: other rows wait for it`, [first[at]!]);
}

export function sometimesThrows(all: readonly Tried[]): Warnings {
  const some = all.filter((t) => threw(t));
  if (some.length === 0 || some.length === all.length) return [];
  const detail = `it threw for ${some.length} of ${all.length} samples, which the fallback would decide`;
  return found('sometimes_throws', detail, [some[0]!]);
}

/** All regions wrote the same: what else should become of it? */
export function equalVersions(all: readonly Tried[]): Warnings {
  const odd = all.find(({ call, outcome }) => {
    const texts = new Set(call.versions.map(({ values }) => JSON.stringify(call.columns.map((c) => values[c]))));
    if (texts.size > 1 || outcome.kind !== 'merged') return false;
    return !texts.has(JSON.stringify(call.columns.map((c) => outcome.values[c])));
  });
  const detail = 'equal versions came out as something else: a value written twice counts twice';
  return found('equal_versions_change', detail, odd === undefined ? undefined : [odd]);
}

/** Never the order it has. */
export function otherOrder(call: MergeCall, random: Random): MergeCall {
  const shuffled = random.shuffled(call.versions);
  const isSame = shuffled.every((version, i) => version === call.versions[i]);
  return { ...call, versions: isSame ? shuffled.reverse() : shuffled };
}

const threw = ({ outcome }: Tried): boolean => outcome.kind === 'failed' && outcome.because === 'threw';

const told = (example: readonly Tried[] | undefined): string =>
  example?.[0]!.outcome.kind === 'failed' ? example[0].outcome.detail : '';

function unequalPair(some: readonly Tried[], others: readonly Tried[]): Tried[] | undefined {
  const at = some.findIndex((one, i) => !cameOutAlike(one, others[i]!));
  return at === -1 ? undefined : [some[at]!, others[at]!];
}
