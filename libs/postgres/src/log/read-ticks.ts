import {
  type Change,
  type Digest,
  foldChanges,
  type FoldingOf,
  type RegionId,
  type Seq,
  stamp,
  type Tick,
  tickDigest,
  type TickHeader,
  type Vector,
} from '@meridian/core';
import type { Row, Session } from '../connection/session.js';
import { literal } from '../catalog/quoting.js';
import { changeColumns, changeOf, inOrderOfWriting, type LoggedChange } from './change-row.js';
import { FOLDING, foldingIn } from './folding.js';
import { TickContentError } from './errors.js';
import { inPagesOfItsOwn, PAGE_ROWS } from './pages.js';
import { racesOf, withUnseen } from './races.js';
import { firstThatShows, Snapshot } from './snapshot.js';

export interface TickLimit {
  readonly ticks: number;
  readonly changes: number;
}

interface KeptTick {
  readonly header: TickHeader;
  readonly digest: string;
  readonly changes: number;
  /** Own ticks only. */
  readonly snapshot: Snapshot | null;
}

/** Ticks of one origin made again from the log; each is the same to the byte as when it was shipped (I5), or an error says so. */
export async function readTicks(
  session: Session,
  self: RegionId,
  digest: Digest,
  origin: RegionId,
  from: Seq,
  limit: TickLimit,
): Promise<readonly Tick[]> {
  const kept = await keptTicks(session, origin, from, limit);
  if (kept.length === 0) return [];
  const contents = origin === self ? await ownContents(session, kept) : await remoteContents(session, origin, kept);
  if (contents === null) return [];
  return kept.map(({ header, digest: shipped }, i) => {
    const tick: Tick = { ...header, changes: contents[i]!.map((c) => ({ ...c, seq: header.seq })), digest: shipped };
    const made = tickDigest(tick, digest);
    if (made !== shipped) throw new TickContentError(tick, shipped, made);
    return tick;
  });
}

const KEPT = /* sql */ `
SELECT seq, deps, stamp, wall, previous, digest, changes, snapshot FROM meridian.tick
 WHERE origin = $1 AND seq >= $2 ORDER BY seq LIMIT $3`;

/** Without a gap from `from` on, and no more changes than asked for, but at least one tick. */
async function keptTicks(
  session: Session,
  origin: RegionId,
  from: Seq,
  limit: TickLimit,
): Promise<readonly KeptTick[]> {
  const { rows } = await session.query(KEPT, [origin, from, limit.ticks], 'kept_ticks');
  const kept: KeptTick[] = [];
  let changes = 0;
  for (const tick of rows.map((row) => keptTick(origin, row))) {
    changes += tick.changes;
    if (tick.header.seq !== from + kept.length || (kept.length > 0 && changes > limit.changes)) break;
    kept.push(tick);
  }
  return kept;
}

function keptTick(origin: RegionId, row: Row): KeptTick {
  const [seq, deps, at, wall, previous, digest, changes, snapshot] = row as readonly string[];
  return {
    header: {
      origin,
      seq: Number(seq) as Seq,
      deps: JSON.parse(deps!) as Vector,
      stamp: stamp(BigInt(at!)),
      wall: BigInt(wall!),
      previous: previous!,
    },
    digest: digest!,
    changes: Number(changes),
    snapshot: snapshot == null ? null : Snapshot.parse(snapshot),
  };
}

const remote = (origin: string, first: string, last: string): string =>
  `SELECT ${changeColumns('c')} FROM meridian.change c WHERE origin = ${origin} AND seq BETWEEN ${first} AND ${last} ORDER BY id`;
const REMOTE = remote('$1', '$2', '$3');

async function remoteContents(
  session: Session,
  origin: RegionId,
  kept: readonly KeptTick[],
): Promise<readonly Change[][]> {
  const [first, last] = [kept[0]!.header.seq, kept.at(-1)!.header.seq];
  const logged = isLarge(kept)
    ? await inPagesOfItsOwn(session, remote(literal(origin), `${first}`, `${last}`))
    : (await session.query(REMOTE, [origin, first, last], 'remote_changes')).rows.map(changeOf);
  const contents = kept.map((): Change[] => []);
  for (const { change } of logged) contents[change.seq! - first]!.push(change);
  return contents;
}

/** What the cut read, for a run of ticks: transactions that the snapshot before them did not show and the last one does. */
const own = (before: string, last: string): string => /* sql */ `
WITH own AS (
  SELECT ${changeColumns('c')} FROM meridian.change c
   WHERE c.seq IS NULL AND c.xid >= pg_snapshot_xmax(${before}::pg_snapshot) AND c.xid < pg_snapshot_xmax(${last}::pg_snapshot)
  UNION ALL
  SELECT ${changeColumns('c')} FROM meridian.change c
   WHERE c.seq IS NULL AND c.xid = ANY (ARRAY(SELECT pg_snapshot_xip(${before}::pg_snapshot))))
SELECT * FROM own WHERE pg_visible_in_snapshot(xid, ${last}::pg_snapshot)`;
const OWN = own('$1', '$2');

/** Counted in changes, which may have been folded from many more: those are read at once. */
const isLarge = (kept: readonly KeptTick[]): boolean =>
  kept.reduce((sum, { changes }) => sum + changes, 0) >= PAGE_ROWS;

/** Null when the tick before the first one is no longer known, and with it where the first one begins. */
async function ownContents(session: Session, kept: readonly KeptTick[]): Promise<readonly Change[][] | null> {
  const origin = kept[0]!.header.origin;
  const before = await snapshotBefore(session, kept[0]!.header);
  if (before === null) return null;
  const snapshots = kept.map((k) => k.snapshot!);
  const last = snapshots.at(-1)!.text;
  const all = isLarge(kept)
    ? await inPagesOfItsOwn(session, own(literal(before.text), literal(last)))
    : (await session.query(OWN, [before.text, last], 'own_changes')).rows.map(changeOf);
  const byTick = kept.map((): LoggedChange[] => []);
  for (const logged of all) byTick[firstThatShows(snapshots, logged.xid)]!.push(logged);
  const folding = await foldingOf(session);
  const races = await racesOf(session, all);
  return byTick.map((logged, i) =>
    foldChanges(
      inOrderOfWriting(logged).map(({ change }) => withUnseen({ ...change, origin }, races, kept[i]!.header.deps)),
      folding,
    ),
  );
}

async function snapshotBefore(session: Session, { origin, seq }: TickHeader): Promise<Snapshot | null> {
  const { rows } = await session.query('SELECT snapshot FROM meridian.tick WHERE origin = $1 AND seq = $2', [
    origin,
    seq - 1,
  ]);
  return rows[0]?.[0] == null ? null : Snapshot.parse(rows[0][0]);
}

/** Of all epochs: a tick folds as it did when it was cut, whatever has become of its tables since. */
async function foldingOf(session: Session): Promise<FoldingOf> {
  const { rows } = await session.query(FOLDING);
  return foldingIn(rows[0]![0] ?? null);
}
