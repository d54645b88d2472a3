import type { ChangeFeed, FeedItem, FeedPage, JsonText, RegionId, TableName } from '@meridian/core';
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
    const items = await this.#between({ ...cursor, to }, table, limit);
    const last = items.at(-1);
    if (last !== undefined && items.length === limit) return { items, cursor: last.cursor };
    // All of this stretch is read: go on behind it, and at once when it was an old one.
    const behind = cursorText(this.region, { from: to, to: null, after: '0' });
    return items.length === 0 && cursor.to !== null ? this.after(behind, table, limit) : { items, cursor: behind };
  }

  async #between(
    cursor: FeedCursor & { readonly to: FeedPoint },
    table: TableName | null,
    limit: number,
  ): Promise<readonly FeedItem[]> {
    const { from, to, after } = cursor;
    const { rows } = await this.#query<{ id: string; data: JsonText }>(BETWEEN, [
      from.snapshot,
      to.snapshot,
      JSON.stringify(from.vector),
      JSON.stringify(to.vector),
      after,
      table,
      limit,
    ]);
    return rows.map(({ id, data }) => ({ cursor: cursorText(this.region, { from, to, after: id }), data }));
  }

  /** Snapshot and vector in one statement, so that they are of one moment. */
  async #point(): Promise<FeedPoint> {
    const { rows } = await this.#query<{ snapshot: string; vector: FeedPoint['vector'] | null }>(
      'SELECT pg_current_snapshot()::text AS snapshot, (SELECT json_object_agg(origin, seq) FROM meridian.applied WHERE origin <> $1) AS vector',
      [this.region],
    );
    return { snapshot: rows[0]!.snapshot, vector: rows[0]!.vector ?? {} };
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

/** Meridian's own tables replicate like users' ones, but are nobody's business here unless asked for. */
const BETWEEN = /* sql */ `
WITH local AS (
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
SELECT id::text, json_build_object(
         'table', rel,
         'op', CASE op WHEN 'i' THEN 'insert' WHEN 'u' THEN 'update' ELSE 'delete' END,
         'key', pk, 'origin', origin, 'seq', seq, 'stamp', stamp::text,
         'wall', to_char(to_timestamp(wall / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
         'actor', actor, 'patch', patch, 'before', before)::text AS data
  FROM (SELECT * FROM local UNION ALL SELECT * FROM remote) AS entry
 WHERE id > $5::bigint
   AND ($6::text IS NULL AND rel NOT LIKE 'meridian.%' OR rel = $6)
 ORDER BY id
 LIMIT $7
`;
