import { REGION_NAME, Refused, type RegionId } from '@meridian/core';

/** Up to where: local changes by a snapshot (they become visible out of order), remote ones by the applied vector. */
export interface FeedPoint {
  readonly snapshot: string;
  readonly vector: { readonly [origin: string]: number };
  /** How often the log had dropped something by then; null: `beginning`, which asks for what is left and no more. */
  readonly drops: number | null;
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
export const BEGINNING: FeedPoint = { snapshot: '3:3:', vector: {}, drops: null };

/** Snapshots are a database's own, so a cursor says whose it is. */
export const cursorText = (region: RegionId, { from, to, after }: FeedCursor): string =>
  Buffer.from(
    JSON.stringify([region, ...pointParts(from), ...(to === null ? [] : [...pointParts(to), after])]),
  ).toString('base64url');

const pointParts = ({ snapshot, vector, drops }: FeedPoint): readonly unknown[] => [snapshot, vector, drops];

export function parseCursorText(region: RegionId, text: string): FeedCursor {
  const [of, ...parts] = decoded(text) ?? [];
  if (of === undefined)
    throw new Refused('bad_cursor', 'the cursor cannot be read: take the id of an event as it was, or `beginning`');
  if (of !== region)
    throw new Refused(
      'bad_cursor',
      `the cursor is of region ${of as string}, whose feed is in another order: go on there, or begin anew here with \`beginning\` or \`now\``,
    );
  const from = pointOf(parts);
  if (parts.length === POINT) return { from, to: null, after: '0' };
  return { from, to: pointOf(parts.slice(POINT)), after: parts[2 * POINT] as string };
}

/** Parts of a point, and so the least that a cursor has behind its region. */
const POINT = 3;

const pointOf = ([snapshot, vector, drops]: readonly unknown[]): FeedPoint => ({
  snapshot: snapshot as string,
  vector: vector as FeedPoint['vector'],
  drops: drops as FeedPoint['drops'],
});

function decoded(text: string): readonly unknown[] | null {
  try {
    const content: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(content)) return null;
    const parts: readonly unknown[] = content;
    const list = parts.slice(1);
    if (!REGION_NAME.test(String(parts[0])) || !isPoint(list.slice(0, POINT))) return null;
    if (list.length === POINT) return parts;
    const isStretch =
      list.length === 2 * POINT + 1 && isPoint(list.slice(POINT)) && /^\d{1,18}$/.test(String(list[2 * POINT]));
    return isStretch ? parts : null;
  } catch {
    return null;
  }
}

const isPoint = ([snapshot, vector, drops]: readonly unknown[]): boolean =>
  typeof snapshot === 'string' &&
  /^\d{1,20}:\d{1,20}:(\d{1,20}(,\d{1,20})*)?$/.test(snapshot) &&
  typeof vector === 'object' &&
  vector !== null &&
  !Array.isArray(vector) &&
  (drops === null || isCount(drops)) &&
  Object.entries(vector).every(([origin, seq]) => REGION_NAME.test(origin) && isCount(seq));

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
