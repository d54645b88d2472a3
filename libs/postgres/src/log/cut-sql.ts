import { CUT_LOCK } from '../connection/advisory-locks.js';
import { literal } from '../catalog/quoting.js';
import { changeColumns } from './change-row.js';
import { FOLDING } from './folding.js';
import { PAGE_ROWS } from './pages.js';
import { FIRST_SNAPSHOT } from './snapshot.js';

export const TAKE_CUT_LOCK = `SELECT pg_advisory_lock(${CUT_LOCK})`;
export const FREE_CUT_LOCK = `SELECT pg_advisory_unlock(${CUT_LOCK})`;

/**
 * Prepared once per session, so that a cut costs no planning over the log's partitions (1 ms with 40 of them).
 * The log's rows: transactions that had not begun, or had not ended, in the last tick's snapshot; which of them have ended
 * since is what this transaction's own snapshot shows.
 */
export const prepareCut = (region: string): string => /* sql */ `
PREPARE cut_header AS
SELECT pg_current_snapshot(), t.seq, t.digest, s.last_value,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       (SELECT json_object_agg(origin, seq) FROM meridian.applied),
       EXISTS (SELECT FROM meridian.waiting_change), (SELECT max(change_id) FROM meridian.race), (${FOLDING})
  FROM meridian.stamp s
  LEFT JOIN (${lastTick(region)}) t ON true;

PREPARE cut_changes AS ${cutChanges(region)} LIMIT ${PAGE_ROWS};
`;

/** For the cut that has more than a page: all of it, in no order. */
export const cutChanges = (region: string): string => /* sql */ `
WITH last AS MATERIALIZED (
  SELECT coalesce(max(pg_snapshot_xmax(snapshot)::text), '0')::xid8 AS xmax,
         coalesce(array_agg(x) FILTER (WHERE x IS NOT NULL), '{}') AS xip
    FROM (${lastTick(region)}) t LEFT JOIN LATERAL pg_snapshot_xip(t.snapshot) x ON true)
SELECT ${changeColumns('c')} FROM meridian.change c WHERE c.seq IS NULL AND c.xid >= (SELECT xmax FROM last)
UNION ALL
SELECT ${changeColumns('c')} FROM meridian.change c WHERE c.seq IS NULL AND c.xid = ANY ((SELECT xip FROM last)::xid8[])`;

const lastTick = (region: string): string =>
  `SELECT seq, digest, snapshot FROM meridian.tick WHERE origin = ${literal(region)} ORDER BY seq DESC LIMIT 1`;

export const OPEN_CUT = 'BEGIN ISOLATION LEVEL REPEATABLE READ; EXECUTE cut_header; EXECUTE cut_changes';

/** Both or neither: where the applied vector is not at the tick's predecessor, the column refuses the null (23502). */
export const WRITE_TICK = /* sql */ `
WITH t AS (
  INSERT INTO meridian.tick (origin, seq, snapshot, deps, stamp, wall, previous, digest, changes)
  VALUES ($1, $2::bigint, $3::pg_snapshot, $4, $5, $6, $7, $8, $9))
INSERT INTO meridian.applied AS a (origin, seq, digest, deps, stamp, wall)
SELECT $1, $2::bigint, $8, $4, $5, $6
ON CONFLICT (origin) DO UPDATE
   SET seq = CASE WHEN a.seq = excluded.seq - 1 THEN excluded.seq END, digest = excluded.digest, deps = excluded.deps, stamp = excluded.stamp, wall = excluded.wall,
       applied_at = clock_timestamp()`;

/** Tick 0, the empty beginning: a tick can be made again as long as the one before it is kept, the first one too. */
export const WRITE_TICK_0 = /* sql */ `
INSERT INTO meridian.tick (origin, seq, snapshot, deps, stamp, wall, previous, digest, changes)
VALUES ($1, 0, '${FIRST_SNAPSHOT.text}', '{}', 0, 0, '', '', 0) ON CONFLICT DO NOTHING`;
