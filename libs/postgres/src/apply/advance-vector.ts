import type { Enrolments, RegionId, Stamp, TableName, Tick, WriteOutcome } from '@meridian/core';
import type { Session } from '../connection/session.js';

/** Transports' places per origin: where each goes on after the last of these ticks. */
export type Positions = ReadonlyMap<RegionId, string>;

/** A clock that is hours ahead must not drag ours along: stamps above this much ahead of us raise our floor no further. */
const STAMP_BOUND_MS = 60_000;

interface Advance {
  readonly origin: RegionId;
  readonly first: Tick;
  readonly last: Tick;
}

const FIELDS = `origin text, first bigint, seq bigint, previous text, digest text, deps json, stamp bigint, wall bigint, position text`;

/**
 * The batch decided by enrolments that were read before. Whoever ends one needs the table's lock, which the batch holds by now
 * if it has written to the table; so what shows here stands until the commit.
 */
const ENROLMENTS_STAND = /* sql */ `NOT EXISTS (
   SELECT FROM unnest($2::text[], $3::int[]) AS k(rel, ended)
    WHERE k.ended IS DISTINCT FROM (SELECT max(p.epoch) FROM meridian.policy_epoch p WHERE p.rel = k.rel AND p.ended))`;

const ADVANCE = /* sql */ `
UPDATE meridian.applied a
   SET seq = x.seq, digest = x.digest, deps = x.deps, stamp = x.stamp, wall = x.wall,
       position = coalesce(x.position, a.position), applied_at = clock_timestamp()
  FROM json_to_recordset($1::json) AS x(${FIELDS})
 WHERE a.origin = x.origin AND a.seq = x.first - 1 AND a.digest = x.previous AND ${ENROLMENTS_STAND}
RETURNING a.origin`;

/** An origin heard of for the first time. */
const BEGIN = /* sql */ `
INSERT INTO meridian.applied (origin, seq, digest, deps, stamp, wall, position)
SELECT origin, seq, digest, deps, stamp, wall, position FROM json_to_recordset($1::json) AS x(${FIELDS}) WHERE ${ENROLMENTS_STAND}
ON CONFLICT (origin) DO NOTHING
RETURNING origin`;

/** setval(greatest(nextval)) like capture's: a sequence is no row to lock, and a stamp never goes back by more than a moment. */
const RAISE = /* sql */ `
SELECT setval('meridian.stamp', greatest(nextval('meridian.stamp'), $1::bigint))
  FROM meridian.stamp WHERE last_value < $1::bigint`;

/** The tick names another predecessor than the one applied here: two contents for one seq (I5). Nothing of this origin may be applied. */
export class DigestChainError extends Error {
  readonly code = 'digest_chain_broken';
  constructor(
    readonly origin: RegionId,
    readonly seq: number,
    here: string,
    named: string,
  ) {
    super(
      `tick ${seq} of ${origin} follows a tick with digest ${named || 'none'}, but the one applied here has ${here || 'none'}`,
    );
    this.name = 'DigestChainError';
  }
}

/** Exactly once in effect: each origin goes from the tick before the first of these to the last, or all is rolled back. */
export async function advanceVector(
  session: Session,
  ticks: readonly Tick[],
  positions: Positions,
  ended: Enrolments['ended'],
  nowMs: () => number = Date.now,
): Promise<WriteOutcome> {
  const advances = byOrigin(ticks);
  const enrolments = endedOf(ticks, ended);
  const [{ rows }] = await Promise.all([
    session.query(ADVANCE, [records(advances, positions), ...enrolments], 'advance'),
    raiseStamp(session, highestStamp(ticks), nowMs()),
  ]);
  const done = new Set(rows.map(([origin]) => origin));
  const left = advances.filter((a) => !done.has(a.origin));
  const begun = left.filter((a) => a.first.seq === 1 && a.first.previous === '');
  const { count } =
    begun.length === 0
      ? { count: 0 }
      : await session.query(BEGIN, [records(begun, positions), ...enrolments], 'begin_origin');
  return count < left.length ? overtaken(session, left) : { retry: null };
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

async function overtaken(session: Session, left: readonly Advance[]): Promise<WriteOutcome> {
  const { rows } = await session.query('SELECT origin, seq, digest FROM meridian.applied WHERE origin = ANY ($1)', [
    left.map((a) => a.origin),
  ]);
  for (const { origin, first } of left) {
    const here = rows.find((row) => row[0] === origin);
    if (Number(here?.[1] ?? 0) === first.seq - 1 && (here?.[2] ?? '') !== first.previous)
      throw new DigestChainError(origin, first.seq, here?.[2] ?? '', first.previous);
  }
  const where = left.map(({ origin, first }) => `${origin} is not at ${first.seq - 1}`);
  return { retry: 'overtaken', detail: `${where.join(', ')}, or a table's enrolment has ended` };
}

const highestStamp = (ticks: readonly Tick[]): Stamp =>
  ticks.reduce((high, t) => (t.stamp > high ? t.stamp : high), 0n as Stamp);

async function raiseStamp(session: Session, highest: Stamp, nowMs: number): Promise<void> {
  const bound = BigInt(nowMs + STAMP_BOUND_MS) << 16n;
  await session.query(RAISE, [highest < bound ? highest : bound], 'raise_stamp');
}
