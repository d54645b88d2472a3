import type { Enrolments, RegionId, Stamp, TableName, Tick } from '@meridian/core';
import { expect, OVERTAKEN } from '../connection/expectations.js';
import { answersTo, type Session } from '../connection/session.js';

/** Transports' places per origin: where each goes on after the last of these ticks. */
export type Positions = ReadonlyMap<RegionId, string>;

/** A clock that is hours ahead must not drag ours along: stamps above this much ahead of us raise our floor no further. */
const STAMP_BOUND_MS = 60_000;

interface Advance {
  readonly origin: RegionId;
  readonly first: Tick;
  readonly last: Tick;
}

/**
 * Each origin from the tick before the first of these to the last, or none: an origin that is elsewhere, or whose last tick has
 * another digest than the first of these names, raises OVERTAKEN. `begun`: origins heard of for the first time. `ended`: tables of
 * which an enrolment has ended since the batch was decided by them; that raises OVERTAKEN, too. Whoever ends one needs the table's
 * lock, which the batch holds by now if it has looked for rows of the table; so what shows here stands until the commit.
 */
const ADVANCE = /* sql */ `
WITH x AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json)
             AS x(origin text, first bigint, seq bigint, previous text, digest text, deps json, stamp bigint, wall bigint, position text)),
advanced AS (
  UPDATE meridian.applied a
     SET seq = x.seq, digest = x.digest, deps = x.deps, stamp = x.stamp, wall = x.wall,
         position = coalesce(x.position, a.position), applied_at = clock_timestamp()
    FROM x WHERE a.origin = x.origin AND a.seq = x.first - 1 AND a.digest = x.previous
  RETURNING a.origin),
begun AS (
  INSERT INTO meridian.applied (origin, seq, digest, deps, stamp, wall, position)
  SELECT origin, seq, digest, deps, stamp, wall, position FROM x
   WHERE first = 1 AND previous = '' AND NOT EXISTS (SELECT FROM meridian.applied a WHERE a.origin = x.origin)
  ON CONFLICT (origin) DO NOTHING
  RETURNING origin),
ended AS (
  SELECT string_agg(k.rel, ', ') AS tables FROM unnest($2::text[], $3::int[]) AS k(rel, ended)
   WHERE k.ended IS DISTINCT FROM (SELECT max(p.epoch) FROM meridian.policy_epoch p WHERE p.rel = k.rel AND p.ended))
SELECT ${expect(
  '(SELECT count(*) FROM advanced) + (SELECT count(*) FROM begun) = (SELECT count(*) FROM x)',
  OVERTAKEN,
  `'not at their predecessors: ' || (SELECT string_agg(origin || '/' || first, ', ') FROM x)`,
)}, ${expect(
  '(SELECT tables FROM ended) IS NULL',
  OVERTAKEN,
  `'enrolments have ended meanwhile: ' || (SELECT tables FROM ended)`,
)}`;

/** setval(greatest(nextval)) like capture's: a sequence is no row to lock, and a stamp never goes back by more than a moment. */
const RAISE = /* sql */ `
SELECT setval('meridian.stamp', greatest(nextval('meridian.stamp'), $1::bigint))
  FROM meridian.stamp WHERE last_value < $1::bigint`;

/** Exactly once in effect: each origin goes from the tick before the first of these to the last, or all is rolled back. */
export function advanceVector(
  session: Session,
  ticks: readonly Tick[],
  positions: Positions,
  ended: Enrolments['ended'],
  nowMs: () => number = Date.now,
): Promise<unknown> {
  const advances = records(byOrigin(ticks), positions);
  const bound = BigInt(nowMs() + STAMP_BOUND_MS) << 16n;
  const highest = highestStamp(ticks);
  return answersTo([
    session.query(ADVANCE, [advances, ...endedOf(ticks, ended)], 'advance'),
    session.query(RAISE, [highest < bound ? highest : bound], 'raise_stamp'),
  ]);
}

/** Of the tables that the ticks name. */
function endedOf(ticks: readonly Tick[], ended: Enrolments['ended']): [tables: TableName[], ended: (number | null)[]] {
  const tables = new Set<TableName>();
  for (const { changes } of ticks) for (const { table } of changes) tables.add(table);
  return [[...tables], [...tables].map((table) => ended.get(table) ?? null)];
}

function byOrigin(ticks: readonly Tick[]): readonly Advance[] {
  const advances = new Map<RegionId, Advance>();
  for (const tick of ticks) {
    const known = advances.get(tick.origin);
    if (known !== undefined && known.last.seq !== tick.seq - 1)
      throw new Error(`tick ${tick.seq} of ${tick.origin} does not follow tick ${known.last.seq} in one batch`);
    advances.set(tick.origin, { origin: tick.origin, first: known?.first ?? tick, last: tick });
  }
  return [...advances.values()];
}

const records = (advances: readonly Advance[], positions: Positions): string =>
  JSON.stringify(
    advances.map(({ origin, first, last }) => ({
      ...{ origin, first: first.seq, seq: last.seq, previous: first.previous, digest: last.digest, deps: last.deps },
      ...{ stamp: `${last.stamp}`, wall: `${last.wall}`, position: positions.get(origin) ?? null },
    })),
  );

const highestStamp = (ticks: readonly Tick[]): Stamp =>
  ticks.reduce((high, t) => (t.stamp > high ? t.stamp : high), 0n as Stamp);
