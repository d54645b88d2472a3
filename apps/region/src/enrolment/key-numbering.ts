import type { RefusedReason } from '@meridian/api';
import type { EnrolmentAnswer } from '@meridian/contract';
import { areDisjoint, numberingOf } from '@meridian/core';
import type { NumberedKey } from '@meridian/postgres';
import type { Prepared } from './participant.js';

export interface KeyNumbering {
  readonly reasons: readonly RefusedReason[];
  readonly keySequences: EnrolmentAnswer['keySequences'];
}

interface RegionsKey extends NumberedKey {
  readonly region: string;
}

/**
 * Shares the numbers of a table's key sequences between the regions, inside the enrolment's transactions; after rows were copied,
 * for the numbers go on above them. Whoever set a sequence otherwise is asked whether it can meet another region's.
 */
export async function shareKeyNumbers(prepared: readonly Prepared[]): Promise<KeyNumbering> {
  const kept = prepared.map((p) => p.numbering).find((n) => n !== null) ?? null;
  const numbering = numberingOf(
    prepared.map((p) => p.at.region),
    kept,
  );
  const standing = prepared.flatMap((p) => p.keySequences);
  const outcomes = await Promise.all(
    prepared.map(async ({ at, id }) => ({ region: at.region, ...(await at.numberKeys(id, numbering, standing)) })),
  );
  const keys = outcomes.flatMap((o): RegionsKey[] =>
    o.kind === 'numbered' ? o.keys.map((key) => ({ region: o.region, ...key })) : [],
  );
  const refused = outcomes.flatMap((o) =>
    o.kind === 'numbered'
      ? []
      : o.problems.map((p) => ({ code: p.code, detail: `${o.region}: ${p.message}`, cure: p.cure })),
  );
  return {
    reasons: refused.length > 0 ? refused : meeting(keys),
    keySequences: keys.map(({ max: _max, ...shown }) => shown),
  };
}

/** One reason for each two regions whose sequences would give the same numbers. */
function meeting(keys: readonly RegionsKey[]): RefusedReason[] {
  return keys.flatMap((a, i) =>
    keys
      .slice(i + 1)
      .filter((b) => b.region !== a.region && b.column === a.column && !areDisjoint(a, b))
      .map((b) => ({
        code: 'key_sequences_meet',
        detail: `"${a.column}": ${told(a)} and ${told(b)} come to the same numbers`,
        cure: `ALTER SEQUENCE … INCREMENT BY 1 in every region, and enrolling gives each its own numbers; or give each region the same increment and a RESTART WITH of its own`,
      })),
  );
}

const told = ({ region, sequence, next, increment }: RegionsKey): string =>
  `${sequence} in ${region} (${next}, and on by ${increment})`;
