import {
  type ChangeFeed,
  type FeedItem,
  type FeedPage,
  type JsonText,
  Refused,
  type RegionId,
  type TableName,
} from '@meridian/core';
import type { Pool } from 'pg';
import { BEGINNING, cursorText, type FeedCursor, type FeedPoint, parseCursorText } from './feed-cursor.js';
import { refusalOf } from './refusal-of-sqlstate.js';

/** The log read by difference of two points, as the relay reads it: by id it would skip what commits late. */
export class PgChangeFeed implements ChangeFeed {
  readonly beginning: string;

  constructor(
    private readonly pool: Pool,
    private readonly region: RegionId,
  ) {
    this.beginning = cursorText(region, { from: BEGINNING, to: null, after: '0' });
  }

  async now(): Promise<string> {
    return cursorText(this.region, { from: await this.#point(), to: null, after: '0' });
  }

  async mark(): Promise<string> {
    const { rows } = await this.#query<{ mark: string }>('SELECT pg_current_snapshot()::text AS mark', []);
    return rows[0]!.mark;
  }

  async after(text: string, table: TableName | null, limit: number): Promise<FeedPage> {
    const cursor = parseCursorText(this.region, text);
    const to = cursor.to ?? (await this.#point());
    // Who begins at the beginning misses what is dropped from now on.
    const from = cursor.from.drops === null ? { ...cursor.from, drops: to.drops } : cursor.from;
    const items = await this.#between({ from, to, after: cursor.after }, cursor.from.drops, table, limit);
    const last = items.at(-1);
    if (last !== undefined && items.length === limit) return { items, cursor: last.cursor };
    // All of this stretch is read: go on behind it, and at once when it was an old one.
    const behind = cursorText(this.region, { from: to, to: null, after: '0' });
    return items.length === 0 && cursor.to !== null ? this.after(behind, table, limit) : { items, cursor: behind };
  }

  async #between(
    { from, to, after }: FeedCursor & { readonly to: FeedPoint },
    drops: number | null,
    table: TableName | null,
    limit: number,
  ): Promise<readonly FeedItem[]> {
    const { rows } = await this.#query<Found>(BETWEEN, [
      from.snapshot,
      to.snapshot,
      JSON.stringify(from.vector),
      JSON.stringify(to.vector),
      after,
      table,
      limit,
      drops,
    ]);
    if (rows[0]!.expired) throw await this.#expired();
    return rows.flatMap(({ id, data }) =>
      id === null ? [] : [{ cursor: cursorText(this.region, { from, to, after: id }), data }],
    );
  }

  async #expired(): Promise<Refused> {
    return new Refused(
      'cursor_expired',
      'the log no longer holds all changes that follow this cursor: read the tables anew, then follow from `cursor` of this answer, which was taken before',
      { cursor: await this.now() },
    );
  }

  /** Snapshot and vector in one statement, so that they are of one moment. */
  async #point(): Promise<FeedPoint> {
    const { rows } = await this.#query<{ snapshot: string; vector: FeedPoint['vector'] | null; drops: string }>(
      'SELECT pg_current_snapshot()::text AS snapshot, (SELECT json_object_agg(origin, seq) FROM meridian.applied WHERE origin <> $1) AS vector, (SELECT times FROM meridian.dropped) AS drops',
      [this.region],
    );
    const { snapshot, vector, drops } = rows[0]!;
    return { snapshot, vector: vector ?? {}, drops: Number(drops) };
  }

  async #query<Row extends object>(
    text: string,
    values: readonly unknown[],
  ): Promise<{ readonly rows: readonly Row[] }> {
    try {
      return await this.pool.query<Row>(text, [...values]);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** The first row is there also when nothing was found. */
type Found = { readonly expired: boolean } & (
  { readonly id: string; readonly data: JsonText } | { readonly id: null; readonly data: null }
);

/**
 * Expired: something was dropped since the reader began, above the ids that it has had, and its `from` does not have that. In the
 * statement that reads the log: its snapshot is taken when it has the log's locks, so what was dropped before shows, and nothing is
 * dropped while it reads. Of a local change that was in progress at `from` it is enough that it may have been dropped.
 *
 * Meridian's own tables replicate like users' ones, but are nobody's business here unless asked for.
 */
const BETWEEN = /* sql */ `
WITH log AS (
  SELECT d.times <> $8::bigint AND d.id > $5::bigint AND (
           d.xid >= pg_snapshot_xmax($1::pg_snapshot)
           OR EXISTS (SELECT FROM pg_snapshot_xip($1::pg_snapshot) AS x WHERE x <= d.xid AND pg_visible_in_snapshot(x, d.snapshot))
           OR EXISTS (SELECT FROM json_each_text(d.vector) AS upto(origin, seq)
                       WHERE upto.seq::bigint > coalesce(($3::json ->> upto.origin)::bigint, 0))) AS expired
    FROM meridian.dropped d
), local AS (
  SELECT c.* FROM meridian.change c
   WHERE c.seq IS NULL
     AND (c.xid >= pg_snapshot_xmax($1::pg_snapshot) AND c.xid < pg_snapshot_xmax($2::pg_snapshot)
       OR c.xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot))))
     AND pg_visible_in_snapshot(c.xid, $2::pg_snapshot)
), remote AS (
  SELECT c.* FROM json_each_text($4::json) AS upto(origin, seq)
    JOIN meridian.change c ON c.origin = upto.origin
     AND c.seq > coalesce(($3::json ->> upto.origin)::bigint, 0) AND c.seq <= upto.seq::bigint
)
SELECT coalesce(log.expired, false) AS expired, found.id, found.data FROM log LEFT JOIN (
SELECT id::text, id AS place, json_build_object(
         'table', rel,
         'op', CASE op WHEN 'i' THEN 'insert' WHEN 'u' THEN 'update' ELSE 'delete' END,
         'key', pk, 'origin', origin, 'seq', seq, 'stamp', stamp::text,
         'wall', to_char(to_timestamp(wall / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
         'actor', regexp_replace(actor, E'\\t[^\\t]*$', ''), 'application', substring(actor FROM E'\\t([^\\t]*)$'), 'patch', patch, 'before', before)::text AS data
  FROM (SELECT * FROM local UNION ALL SELECT * FROM remote) AS entry
 WHERE id > $5::bigint
   AND ($6::text IS NULL AND rel NOT LIKE 'meridian.%' OR rel = $6)
 ORDER BY id
 LIMIT $7
) found ON NOT coalesce(log.expired, false) ORDER BY found.place
`;
