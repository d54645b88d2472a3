/** `Prefer: return=representation, count=exact` (RFC 7240): wishes; those not known here are passed over. */
export interface Preferences {
  readonly representation: boolean;
  readonly count: boolean;
  readonly resolution: 'merge' | 'ignore' | null;
}

const NONE: Preferences = { representation: false, count: false, resolution: null };

export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined) return NONE;
  const wishes = new Set(header.split(/[,;]/).map((wish) => wish.trim().toLowerCase().replaceAll('"', '')));
  return {
    representation: wishes.has('return=representation'),
    count: wishes.has('count=exact'),
    resolution: wishes.has('resolution=merge-duplicates')
      ? 'merge'
      : wishes.has('resolution=ignore-duplicates')
        ? 'ignore'
        : null,
  };
}
