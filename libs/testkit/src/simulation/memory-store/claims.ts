import { type Claim, type Entry, maximal, patchOf, rankOf, type TableSpec, type UniqueKey, winner } from '@meridian/core';

/**
 * The claim by which a row holds its value of a unique key: the rank of the write that set the key, if the log still knows
 * it. Only a write of the value that the row has now can be the one.
 */
export function claimInLog(
  spec: TableSpec,
  key: UniqueKey,
  entries: readonly Entry[],
  values: { readonly [column: string]: string | null },
): Claim | null {
  const sets = (e: Entry): boolean => {
    const patch = patchOf(e);
    return key.columns.some((column) => Object.hasOwn(patch, column));
  };
  const setters = maximal(entries.filter((e) => e.op !== 'delete' && sets(e)));
  const holding = setters.filter((e) => {
    const patch = patchOf(e);
    return key.columns.every((column) => !Object.hasOwn(patch, column) || patch[column] === values[column]);
  });
  if (holding.length === 0) return null;
  const register = spec.registers.find((r) => r.columns.includes(key.columns[0]!));
  const set = winner(register?.policy ?? { kind: 'hlc' }, key.columns, holding);
  const rank = rankOf(set, key.columns[0]);
  return { stamp: rank.stamp, origin: set.origin, id: rank.id };
}

export type ClaimsText = { readonly [key: string]: readonly [string, string, string] | null };

export const parseClaims = (text: string): ReadonlyMap<string, Claim | null> =>
  new Map(
    Object.entries(JSON.parse(text) as ClaimsText).map(([key, claim]) => [
      key,
      claim === null
        ? null
        : ({ stamp: BigInt(claim[0]), origin: claim[1], id: Number(claim[2]) } as unknown as Claim),
    ]),
  );
