import { type ConflictFilter, type ConflictPage, type ConflictReader, type JsonText, Refused } from '@meridian/core';
import type { Pool } from 'pg';
import { refusalOf } from './refusal-of-sqlstate.js';

export class PgConflictReader implements ConflictReader {
  constructor(private readonly pool: Pool) {}

  async list(filter: ConflictFilter): Promise<ConflictPage> {
    const after = filter.cursor === undefined ? null : parseCursor(filter.cursor);
    const { table, kind = null, region = null, status = null, since = null, limit } = filter;
    const place = [after?.[0] ?? null, after?.[1] ?? null];
    const values = [table?.schema ?? null, table?.name ?? null, kind, region, status, since, ...place, limit + 1];
    const rows = await this.#query<{ conflict: JsonText; at: string; id: string }>(LIST, values);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map((r) => r.conflict),
      next: rows.length > limit && last !== undefined ? cursorOf(last.at, last.id) : null,
    };
  }

  async get(id: string): Promise<JsonText | null> {
    const rows = await this.#query<{ conflict: JsonText }>(
      `SELECT ${CONFLICT} AS conflict FROM meridian.conflict WHERE id = $1`,
      [id],
    );
    return rows[0]?.conflict ?? null;
  }

  async #query<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** Base64url of the last row's place in the order. */
const cursorOf = (at: string, id: string): string => Buffer.from(JSON.stringify([at, id])).toString('base64url');

function parseCursor(cursor: string): readonly [at: string, id: string] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (
      Array.isArray(place) &&
      place.length === 2 &&
      place.every((p) => typeof p === 'string' && /^[\w :.+-]{1,100}$/.test(p))
    )
      return place as unknown as readonly [string, string];
  } catch {
    // Refused below, as any other text that we did not write.
  }
  throw new Refused('bad_cursor', 'the cursor cannot be read: take `next` of the page before as it was');
}

const TIME = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const CONFLICT = /* sql */ `json_build_object(
  'id', id, 'table', rel, 'key', pk::json, 'kind', kind, 'region', region, 'status', status, 'loser', loser, 'versions', versions,
  'base', base, 'overwritten', overwritten, 'result', result, 'reason', reason,
  'createdAt', ${TIME('created_at')}, 'updatedAt', ${TIME('updated_at')})::text`;

const LIST = /* sql */ `
SELECT ${CONFLICT} AS conflict, created_at::text AS at, id
  FROM meridian.conflict
 WHERE ($1::text IS NULL OR rel = quote_ident($1) || '.' || quote_ident($2::text))
   AND ($3::text IS NULL OR kind = $3)
   AND ($4::text IS NULL OR region = $4)
   AND ($5::text IS NULL OR status = $5)
   AND ($6::timestamptz IS NULL OR created_at >= $6)
   AND ($7::timestamptz IS NULL OR (created_at, id) < ($7, $8::text))
 ORDER BY created_at DESC, id DESC
 LIMIT $9
`;
