/** A transaction's number; given out at its first write, so numbers and commits come in different orders. */
export type Xid = number;

/** As pg_current_snapshot(): what had committed when it was taken. */
export interface Snapshot {
  readonly xmax: Xid;
  readonly inProgress: ReadonlySet<Xid>;
}

/** No transaction has ended between the two. */
export const isSame = (a: Snapshot, b: Snapshot): boolean =>
  a.xmax === b.xmax &&
  a.inProgress.size === b.inProgress.size &&
  [...a.inProgress].every((xid) => b.inProgress.has(xid));

/** Before the first tick nothing is visible. */
export const EMPTY_SNAPSHOT: Snapshot = { xmax: 0, inProgress: new Set() };

/** Aborted transactions leave nothing behind that could be asked about. */
export const visibleIn = (snapshot: Snapshot, xid: Xid): boolean =>
  xid < snapshot.xmax && !snapshot.inProgress.has(xid);
