import { Refused } from '@meridian/core';

/**
 * Versions that are looked at for one page: those above and below it say what it was concurrent with, and in which order one
 * transaction wrote. More of them would keep the service's other work waiting while they are compared.
 */
export const HISTORY_WINDOW = 2_000;
/** Versions above a page that a later window still has. */
const ABOVE = 500;

/** A place in a row's history: below the version with id `after`, in the window of the newest ones at or below `upTo`. */
export interface HistoryCursor {
  readonly upTo: number | null;
  readonly after: number | null;
}

interface Placed {
  readonly logId: number;
}

export interface PageBounds {
  readonly from: number;
  readonly to: number;
  readonly next: string | null;
}

/** The window moves on when less than half of it is left. */
export function pageOf(window: readonly Placed[], { upTo, after }: HistoryCursor, limit: number): PageBounds {
  const from = after === null ? 0 : indexBelow(window, after);
  const to = Math.min(from + limit, window.length);
  const isFull = window.length === HISTORY_WINDOW;
  const last = window[to - 1];
  if (last === undefined || (to === window.length && !isFull)) return { from, to, next: null };
  const moves = isFull && to > HISTORY_WINDOW / 2;
  return { from, to, next: cursorText({ upTo: moves ? window[to - ABOVE]!.logId : upTo, after: last.logId }) };
}

/** The version itself may have been dropped with its part of the log meanwhile. */
function indexBelow(window: readonly Placed[], after: number): number {
  const at = window.findIndex((v) => v.logId === after);
  if (at >= 0) return at + 1;
  const below = window.findIndex((v) => v.logId < after);
  return below < 0 ? window.length : below;
}

const cursorText = ({ upTo, after }: HistoryCursor): string =>
  Buffer.from(JSON.stringify([upTo, after])).toString('base64url');

export function parseHistoryCursor(text: string | undefined): HistoryCursor {
  if (text === undefined) return { upTo: null, after: null };
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 2 && (parts[0] === null || isId(parts[0])) && isId(parts[1]))
      return { upTo: parts[0] as number | null, after: parts[1] };
  } catch {
    // Refused below, as any other text that we did not write.
  }
  throw new Refused('bad_cursor', 'the cursor cannot be read: take `next` of the page before as it was');
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
