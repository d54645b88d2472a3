import type { Entry } from '../causality/coverage.js';
import type { Values } from '../change/change.js';
import type { Register, TableSpec } from '../policy/table-policy.js';
import { resolve, type Verdict } from './resolve.js';

export interface Decision {
  readonly verdict: Verdict;
  readonly exists: boolean;
  readonly values: Values;
}

/**
 * What apply decided, or would have, among these versions of one register (null: of the row's existence). It was asked as each of
 * them arrived; the answer is a function of them all, so any of them may be the one that arrives last.
 */
export function decideAmong(
  spec: TableSpec,
  register: Register | null,
  versions: readonly Entry[],
  present: Values | null,
): Decision {
  const narrowed = { ...spec, registers: register === null ? [] : [register], counters: [] };
  const { exists, values, verdicts } = resolve(narrowed, versions.at(-1)!, versions.slice(0, -1), present);
  const about = register === null ? 0 : register.columns.length;
  return { exists, values, verdict: verdicts.find((v) => v.columns.length === about)! };
}
