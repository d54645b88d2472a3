import type { Claim } from '@meridian/core';

type ClaimsText = { readonly [key: string]: readonly [string, string, string] | null };

/** As the port's `park` effect writes them. */
export const parseClaims = (text: string): ReadonlyMap<string, Claim | null> =>
  new Map(
    Object.entries(JSON.parse(text) as ClaimsText).map(([key, claim]) => [
      key,
      claim === null ? null : ({ stamp: BigInt(claim[0]), origin: claim[1], id: Number(claim[2]) } as unknown as Claim),
    ]),
  );
