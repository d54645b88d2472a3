import { REGION_NAME, Refused, type RegionId } from '@meridian/core';

/** Up to where: local changes by a snapshot (they become visible out of order), remote ones by the applied vector. */
export interface FeedPoint {
  readonly snapshot: string;
  readonly vector: { readonly [origin: string]: number };
}

/**
 * A place in the feed: between the entries of (from, to], after the one with id `after`. What lies between two points is
 * fixed for ever, so a reader that comes back with a cursor goes on exactly behind it. `to` null: to be chosen.
 */
export interface FeedCursor {
  readonly from: FeedPoint;
  readonly to: FeedPoint | null;
  readonly after: string;
}

/** Before everything: xid 3 is the first that PostgreSQL gives out. */
export const BEGINNING: FeedPoint = { snapshot: '3:3:', vector: {} };

/** Snapshots are a database's own, so a cursor says whose it is. */
export const cursorText = (region: RegionId, { from, to, after }: FeedCursor): string =>
  Buffer.from(
    JSON.stringify([
      region,
      ...(to === null ? [from.snapshot, from.vector] : [from.snapshot, from.vector, to.snapshot, to.vector, after]),
    ]),
  ).toString('base64url');

export function parseCursorText(region: RegionId, text: string): FeedCursor {
  const [of, ...parts] = decoded(text) ?? [];
  if (of === undefined)
    throw new Refused('bad_cursor', 'the cursor cannot be read: take the id of an event as it was, or `beginning`');
  if (of !== region)
    throw new Refused(
      'bad_cursor',
      `the cursor is of region ${of as string}, whose feed is in another order: go on there, or begin anew here with \`beginning\` or \`now\``,
    );
  const [fromSnapshot, fromVector, toSnapshot, toVector, after] = parts;
  const from = { snapshot: fromSnapshot as string, vector: fromVector as FeedPoint['vector'] };
  if (parts.length === 2) return { from, to: null, after: '0' };
  return {
    from,
    to: { snapshot: toSnapshot as string, vector: toVector as FeedPoint['vector'] },
    after: after as string,
  };
}

function decoded(text: string): readonly unknown[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parts) || !REGION_NAME.test(String(parts[0])) || !isPoint(parts[1], parts[2])) return null;
    const list: readonly unknown[] = parts;
    if (list.length === 3) return list;
    return list.length === 6 && isPoint(list[3], list[4]) && /^\d{1,18}$/.test(String(list[5])) ? list : null;
  } catch {
    return null;
  }
}

const isPoint = (snapshot: unknown, vector: unknown): boolean =>
  typeof snapshot === 'string' &&
  /^\d{1,20}:\d{1,20}:(\d{1,20}(,\d{1,20})*)?$/.test(snapshot) &&
  typeof vector === 'object' &&
  vector !== null &&
  !Array.isArray(vector) &&
  Object.entries(vector).every(
    ([origin, seq]) => REGION_NAME.test(origin) && Number.isSafeInteger(seq) && (seq as number) >= 0,
  );
