import { type Entry, covers, maximal } from '../causality/coverage.js';
import { patchOf } from '../change/change.js';
import { type Register, type RegisterPolicy, type TableSpec, policyAt } from '../policy/table-policy.js';
import { type Verdict, contended, decideWhole, latestEpoch, writes } from './resolve.js';

/*
 * Under some policies a loser comes back: what it had lost to is written over by somebody who had not seen the loser. Its record is
 * withdrawn, and yet elsewhere it has lost, and whoever writes there covers it without ever having had it in front of them. It would
 * be lost, and nothing would tell.
 */

/** The policies under which the earlier of two writes may win: by stamp nobody comes back, for who wrote over the winner is later still. */
const RETURNING: ReadonlySet<string> = new Set([
  'lww',
  'first-write',
  'region-priority',
  'max',
  'min',
  'flag',
] satisfies RegisterPolicy['kind'][]);

export const mayReturn = (policy: Register['policy']): policy is RegisterPolicy => RETURNING.has(policy.kind);

/**
 * Those that had lost in front of the change's writer, and have not lost here: of the registers that it writes.
 *
 * @param uncovered what the change is decided among
 * @param seenBy of each origin the last that writes the columns, of what the change covers
 */
export function pastLosers(
  spec: TableSpec,
  change: Entry,
  uncovered: readonly Entry[],
  seenBy: (columns: readonly string[]) => readonly Entry[],
): Verdict[] {
  return contended(spec, change, [...uncovered, change]).flatMap(({ columns }) => {
    const beside = uncovered.filter((e) => writes(patchOf(e), columns));
    if (beside.length === 0) return [];
    const seen = seenBy(columns);
    const { registers, epoch } = policyAt(spec, latestEpoch(maximal(seen)));
    const policy = registers.find((r) => r.columns.join() === columns.join())?.policy;
    if (seen.length < 2 || policy === undefined || !mayReturn(policy)) return [];
    return decideWhole(policy, columns, seen).verdicts.flatMap((verdict) => {
      const losers = verdict.losers.filter((loser) => !beside.some((e) => covers(e, loser)));
      return losers.length === 0 ? [] : [{ ...verdict, losers, epoch }];
    });
  });
}
