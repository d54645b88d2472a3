import type { GivenEpochs, TableStanding } from './table-standing.js';

/**
 * Enrolled everywhere since the same epoch: it is, at most, another policy, or other rules. Else it is enrolled anew in all regions, also where
 * it is enrolled: what was written before is in the rows that are compared now, and must not be applied again.
 */
export function nextEpochs(standings: readonly (TableStanding | null)[]): GivenEpochs {
  const known = standings.flatMap((s) => s ?? []);
  const [first] = known;
  const everywhere = known.length === standings.length && known.every((s) => s.present !== null);
  if (first === undefined || !everywhere || known.some((s) => s.ended !== first.ended)) {
    const ended = lastEpochOf(known);
    return { epoch: ended + 1, ended };
  }
  const last = lastEpochOf(known);
  const same = known.every((s) => s.present === last && s.agreed);
  return { epoch: same ? last : last + 1, ended: first.ended };
}

export const lastEpochOf = (known: readonly TableStanding[]): number =>
  known.reduce((last, { present, ended }) => Math.max(last, present ?? 0, ended), 0);
