import { type RegionId, type Vector, at, origins } from '@meridian/core';
import { literal } from '../catalog/quoting.js';
import type { Session } from '../connection/session.js';
import { forgetOvertaken } from './overtaken.js';
import { DDL_LOCK_TIMEOUT_MS, LOCK_NOT_AVAILABLE, type Partition, PARTITION_IDS, partitions } from './partitions.js';
import type { Snapshot } from './snapshot.js';

export interface Below {
  readonly region: RegionId;
  readonly cut: Vector;
  /** Of the own tick at the cut: local changes that it shows are below. */
  readonly snapshot: Snapshot;
  readonly historyMs: number;
}

/**
 * Drops partitions all of whose changes every region has, oldest first, up to the first that must stay. Looked at twice: a
 * DROP that merely waited for an open writer would take its freshly committed change with it.
 */
export async function dropPartitions(session: Session, below: Below): Promise<number> {
  await forgetOvertaken(session);
  const { rows } = await session.query('SELECT last_value FROM meridian.change_id');
  // Ids still to come belong to the partition of the last one given out, and to later ones.
  const current = Math.floor(Number(rows[0]![0]) / PARTITION_IDS) * PARTITION_IDS;
  let dropped = 0;
  for (const partition of await partitions(session)) {
    if (partition.to > current || !(await isBelow(session, partition, below))) break;
    if (dropped === 0) await forgetTicks(session, below);
    if (!(await drop(session, partition, below))) break;
    dropped++;
  }
  await emptyDefault(session, below, current);
  await forgetRaces(session);
  return dropped;
}

/** The first look, which may take its time: nothing above the cut, nothing younger than the history to keep. */
async function isBelow(session: Session, partition: Partition, below: Below): Promise<boolean> {
  const sql = `SELECT NOT EXISTS (SELECT FROM meridian.${partition.name} c WHERE ${aboveCut(below)} OR ${young(below)})`;
  return (await session.query(sql)).rows[0]![0] === 't';
}

/**
 * DROP TABLE locks the parent too, so that is locked first: an open writer of any partition makes us give up, not wait, with
 * others queued behind us. The second look reads by index only what could be above the cut.
 */
async function drop(session: Session, { name }: Partition, below: Below): Promise<boolean> {
  // Before the lock, for no index has the ids; nothing below the cut comes any more.
  const { rows: last } = await session.query(`SELECT max(id) FROM meridian.${name}`);
  try {
    await session.script(/* sql */ `
      BEGIN;
      SET LOCAL lock_timeout = ${DDL_LOCK_TIMEOUT_MS};
      LOCK TABLE ONLY meridian.change, meridian.${name} IN ACCESS EXCLUSIVE MODE`);
    const { rows } = await session.query(`SELECT EXISTS (SELECT FROM meridian.${name} c WHERE ${aboveCut(below)})`);
    const late = rows[0]![0] === 't';
    await session.script(
      late
        ? 'ROLLBACK'
        : `${noteDropped(below, lastOf(name, below), last[0]![0] ?? 'NULL')}; DROP TABLE meridian.${name}; COMMIT`,
    );
    return !late;
  } catch (error) {
    await session.script('ROLLBACK');
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

/** What fell into the default partition is deleted row by row. */
async function emptyDefault(session: Session, below: Below, current: number): Promise<void> {
  const gone = `id < ${current} AND NOT (${aboveCut(below)} OR ${young(below)})`;
  const { rows } = await session.query(`SELECT EXISTS (SELECT FROM meridian.change_default c WHERE ${gone})`);
  if (rows[0]![0] !== 't') return;
  await forgetTicks(session, below);
  await session.query(
    `WITH gone AS (DELETE FROM meridian.change_default c WHERE ${gone} RETURNING c.id, c.origin, c.seq, c.xid)
     ${noteDropped(below, 'SELECT origin, seq, CASE WHEN seq IS NULL THEN xid END FROM gone', '(SELECT max(id) FROM gone)')}`,
  );
}

/** In the transaction that drops, so that a feed's reader sees both or none of it. `last`: origin, seq, and xid of local ones. */
const noteDropped = ({ snapshot }: Below, last: string, lastId: string): string => /* sql */ `
  UPDATE meridian.dropped d
     SET times = d.times + 1, id = greatest(d.id, ${lastId}), xid = greatest(d.xid, l.xid), snapshot = '${snapshot.text}', vector = l.vector
    FROM (SELECT max(xid) AS xid, coalesce(json_object_agg(origin, seq) FILTER (WHERE seq IS NOT NULL), '{}') AS vector
            FROM (SELECT origin, max(seq) AS seq, max(xid) AS xid
                    FROM (${last} UNION ALL SELECT key, value::bigint, NULL FROM meridian.dropped, json_each_text(vector)) AS dropped(origin, seq, xid)
                   GROUP BY origin) AS by_origin) AS l`;

/** By index, for nobody writes meanwhile. */
const lastOf = (name: string, { region, cut }: Below): string => /* sql */ `
  SELECT o, (SELECT seq FROM meridian.${name} WHERE origin = o AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1),
         CASE WHEN o = ${literal(region)} THEN (SELECT xid FROM meridian.${name} WHERE seq IS NULL ORDER BY xid DESC LIMIT 1) END
    FROM unnest(ARRAY[${[...new Set([...origins(cut), region])].map(literal).join(', ')}]::text[]) AS o`;

/** Local changes that the tick's snapshot does not show; remote ones above the cut, or of an origin that it does not name. */
export function aboveCut({ cut, snapshot }: Pick<Below, 'cut' | 'snapshot'>): string {
  const remote = origins(cut).map((o) => `(c.origin = ${literal(o)} AND c.seq > ${at(cut, o)})`);
  const unnamed = `c.origin <> ALL (ARRAY[${origins(cut).map(literal).join(', ')}]::text[])`;
  return `(c.seq IS NULL AND c.xid >= '${snapshot.xmin}'::xid8 AND NOT pg_visible_in_snapshot(c.xid, '${snapshot.text}'))
       OR (c.seq IS NOT NULL AND (${[unnamed, ...remote].join(' OR ')}))`;
}

/** By stamp, whose upper 48 bits are milliseconds: a wall may be a column of the user's. */
const young = ({ historyMs }: Below): string =>
  `c.stamp >= (((extract(epoch FROM clock_timestamp()) * 1000)::bigint - ${historyMs}) << 16)`;

/**
 * Ticks whose changes are gone in part cannot be made again, so they go first: a crash in between leaves none that lies. The
 * own tick at the cut stays: its snapshot is the floor of those who ask what they had not seen.
 */
async function forgetTicks(session: Session, { region, cut }: Below): Promise<void> {
  for (const origin of origins(cut)) {
    const keep = origin === region ? at(cut, origin) : at(cut, origin) + 1;
    await session.query('DELETE FROM meridian.tick WHERE origin = $1 AND seq < $2', [origin, keep]);
  }
}

/** Races go with their change. */
async function forgetRaces(session: Session): Promise<void> {
  const oldest = (await partitions(session))[0]?.from ?? 0;
  await session.query(
    `DELETE FROM meridian.race r WHERE change_id < $1
       AND NOT EXISTS (SELECT FROM meridian.change_default c WHERE c.id = r.change_id)`,
    [oldest],
  );
}
