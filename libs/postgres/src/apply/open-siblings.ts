import type { OpenSiblings, RegionId, Seq } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { conflictRecords } from './conflict-rows.js';

/** A moment up to which this region's log was looked through for writes over siblings. */
interface Look {
  readonly snapshot: string;
  /** JSON: of every other origin the last seq applied. */
  readonly vector: string;
}

/** As of migration 11's index. */
const SIBLINGS = /* sql */ `
SELECT c.id, c.rel, c.pk FROM meridian.conflict c
 WHERE c.region = $1 AND c.status = 'open' AND c.overwritten::text LIKE '%"policy":"register"%'`;

const AFTER = /* sql */ `
SELECT (SELECT json_agg(id) FROM found), pg_current_snapshot(),
       (SELECT json_object_agg(origin, seq) FROM meridian.applied WHERE origin <> $1),
       (SELECT coalesce(min(seq), 0) FROM meridian.tick WHERE origin = $1),
       EXISTS (SELECT FROM meridian.waiting_change)`;

const ALL = /* sql */ `WITH found AS (${SIBLINGS}) ${AFTER}`;

/**
 * The log's tail is read only when there are siblings: the planner asks for a subquery's rows when there is something to compare.
 * A record is a row of the log's, too: one that was written meanwhile may tell of a sibling that was written over before.
 */
const SINCE = /* sql */ `
WITH open AS MATERIALIZED (${SIBLINGS}),
     tail AS MATERIALIZED (
  SELECT c.rel, c.pk::text AS pk FROM meridian.change c
   WHERE c.seq IS NULL AND c.xid >= pg_snapshot_xmin($2::pg_snapshot) AND NOT pg_visible_in_snapshot(c.xid, $2::pg_snapshot)
  UNION ALL
  SELECT r.rel, r.pk FROM meridian.applied a
   CROSS JOIN LATERAL (SELECT c.rel, c.pk::text AS pk FROM meridian.change c
                        WHERE c.origin = a.origin AND c.seq > coalesce(($3::json ->> a.origin)::bigint, 0) OFFSET 0) r
   WHERE a.origin <> $1),
     found AS (
  SELECT id FROM open
   WHERE (rel, pk) IN (SELECT rel, pk FROM tail)
      OR ('meridian.conflict', json_build_array(id)::text) IN (SELECT rel, pk FROM tail))
${AFTER}`;

/** What of this region's siblings may have been written over: all of them at first, then where the log has gone on. */
export class SiblingWatch {
  private looked: Look | null = null;

  async read(session: Session, region: RegionId): Promise<OpenSiblings & { readonly look: Look | null }> {
    const { looked } = this;
    const { rows } =
      looked === null
        ? await session.query(ALL, [region], 'all_siblings')
        : await session.query(SINCE, [region, looked.snapshot, looked.vector], 'siblings_since');
    const [ids, snapshot, vector, forgotten, waiting] = rows[0]!;
    const records = ids == null ? new Map() : await conflictRecords(session, JSON.parse(ids) as string[]);
    return {
      records: [...records.values()],
      forgotten: Number(forgotten) as Seq,
      // Changes that wait for their table are in the log, but nobody has seen them yet.
      look: waiting === 't' ? null : { snapshot: snapshot!, vector: vector ?? '{}' },
    };
  }

  /** What was read with it is decided, and committed. */
  goOn(look: Look | null): void {
    this.looked = look;
  }
}
