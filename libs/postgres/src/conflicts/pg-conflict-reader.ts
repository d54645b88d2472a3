import {
  type ConflictFilter,
  type ConflictPage,
  type ConflictReader,
  Refused,
  type SecretColumns,
  type ShownConflict,
  type TableName,
} from '@meridian/core';
import type { Pool } from 'pg';
import { refusalOf } from '../rows/refusal-of-sqlstate.js';
import type { Statement } from '../rows/sql-builder.js';
import { countSql, GET_SQL, listSql } from './conflict-sql.js';

export class PgConflictReader implements ConflictReader {
  constructor(private readonly pool: Pool) {}

  async list(filter: ConflictFilter): Promise<ConflictPage> {
    const after = filter.cursor === undefined ? null : parseCursor(filter.cursor);
    const rows = await this.#query<ShownConflict & { readonly at: string }>(listSql(filter, after));
    const page = rows.slice(0, filter.limit);
    const last = page.at(-1);
    return {
      items: page,
      next: rows.length > filter.limit && last !== undefined ? cursorOf(last.at, last.id) : null,
    };
  }

  async get(id: string): Promise<ShownConflict | null> {
    const rows = await this.#query<ShownConflict>({ text: GET_SQL, values: [id] });
    return rows[0] ?? null;
  }

  async count(filter: Omit<ConflictFilter, 'limit' | 'cursor'>): Promise<number> {
    const rows = await this.#query<{ count: number }>(countSql(filter));
    return rows[0]!.count;
  }

  async secrets(): Promise<ReadonlyMap<TableName, SecretColumns>> {
    const rows = await this.#query<SecretColumns & { readonly rel: TableName }>({ text: SECRETS, values: [] });
    return new Map(rows.map(({ rel, columns, keyColumns }) => [rel, { columns, keyColumns }]));
  }

  async #query<Row extends object>({ text, values }: Statement): Promise<readonly Row[]> {
    try {
      return (await this.pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

const SECRETS = /* sql */ `
SELECT rel, coalesce(policy -> 'secret', '[]') AS columns, coalesce(spec -> 'keyColumns', '[]') AS "keyColumns"
  FROM meridian.enrolled_table`;

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
