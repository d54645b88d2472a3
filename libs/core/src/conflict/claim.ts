import { type Entry, maximal } from '../causality/coverage.js';
import { type Values, patchOf, rankOf } from '../change/change.js';
import { winner } from '../policy/rank.js';
import type { TableSpec, UniqueKey } from '../policy/table-policy.js';
import type { Claim } from '../ports/apply-store.js';

/**
 * The claims by which a row holds its unique values, as far as the log still knows the writes that set them: a write below
 * the stable cut is the earliest claim, and has no entry here. Only a write of the value that the row has now can be the one.
 */
export function claimsInLog(spec: TableSpec, entries: readonly Entry[], values: Values): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const key of spec.uniqueKeys) {
    const claim = claimInLog(spec, key, entries, values);
    if (claim !== null) claims.set(key.name, claim);
  }
  return claims;
}

export function claimInLog(
  spec: Pick<TableSpec, 'registers'>,
  key: Pick<UniqueKey, 'columns'>,
  entries: readonly Entry[],
  values: Values,
): Claim | null {
  const setters = maximal(entries.filter((e) => key.columns.some((c) => Object.hasOwn(patchOf(e), c))));
  const holding = setters.filter((e) => {
    const patch = patchOf(e);
    return key.columns.every((c) => !Object.hasOwn(patch, c) || patch[c] === values[c]);
  });
  if (holding.length === 0) return null;
  const register = spec.registers.find((r) => r.columns.includes(key.columns[0]!));
  const set = winner(register?.policy ?? { kind: 'hlc' }, key.columns, holding);
  const { stamp, id } = rankOf(set, key.columns[0]);
  return { stamp, origin: set.origin, id };
}
