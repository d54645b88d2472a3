import type { Session } from '../connection/session.js';

/** As pg_snapshot writes it. */
export async function currentSnapshot(session: Session): Promise<string> {
  const { rows } = await session.query('SELECT pg_current_snapshot()', [], 'current_snapshot');
  return rows[0]![0]!;
}

const LOGGED_SINCE = /* sql */ `
SELECT EXISTS (SELECT FROM meridian.change WHERE seq IS NULL AND xid >= pg_snapshot_xmax($1::pg_snapshot))
    OR EXISTS (SELECT FROM meridian.change WHERE seq IS NULL AND xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot))))`;

/** Has a local change been committed that this snapshot does not show? */
export async function isLoggedSince(session: Session, snapshot: string): Promise<boolean> {
  const { rows } = await session.query(LOGGED_SINCE, [snapshot], 'logged_since');
  return rows[0]![0] === 't';
}

/** pg_snapshot: which transactions had ended when it was taken. An aborted one left nothing in the log. */
export class Snapshot {
  private constructor(
    readonly text: string,
    readonly xmin: bigint,
    readonly xmax: bigint,
    private readonly inProgress: ReadonlySet<bigint>,
  ) {}

  /** `10:20:10,14,15`: xmin, xmax, transactions in progress between them. */
  static parse(text: string): Snapshot {
    const [xmin, xmax, list] = text.split(':');
    if (xmin === undefined || xmax === undefined || list === undefined)
      throw new RangeError(`"${text}" is no pg_snapshot`);
    return new Snapshot(text, BigInt(xmin), BigInt(xmax), new Set(list === '' ? [] : list.split(',').map(BigInt)));
  }

  shows(xid: bigint): boolean {
    return xid < this.xmin || (xid < this.xmax && !this.inProgress.has(xid));
  }
}

/** Of tick 0, before which nothing was logged: it shows no transaction (numbers begin at 3). */
export const FIRST_SNAPSHOT = Snapshot.parse('1:1:');

/** The first of these snapshots, oldest first, that shows a transaction: once shown, always shown. Its index, or -1. */
export function firstThatShows(snapshots: readonly Snapshot[], xid: bigint): number {
  let low = 0;
  let high = snapshots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (snapshots[middle]!.shows(xid)) high = middle;
    else low = middle + 1;
  }
  return low === snapshots.length ? -1 : low;
}
