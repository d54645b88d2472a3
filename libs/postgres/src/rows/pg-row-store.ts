import {
  type JsonText,
  type KeptAnswer,
  type OnceRequest,
  Refused,
  type RowPage,
  type RowQuery,
  type RowStore,
  type RowTable,
  type RowWrite,
  type Selected,
  type TableRef,
  type TaggedRow,
  type Writer,
  type WriteResult,
} from '@meridian/core';
import type { Pool, PoolClient } from 'pg';
import { countSql, readOneSql, readSql } from './read-sql.js';
import { RowTransactions } from './row-transactions.js';

/** The users' rows by raw pg (see `RowStore`). */
export class PgRowStore implements RowStore {
  readonly #transactions: RowTransactions;

  constructor(private readonly pool: Pool) {
    this.#transactions = new RowTransactions(pool, 'rest');
  }

  table(ref: TableRef): Promise<RowTable | null> {
    return this.#transactions.guarded(undefined, () => this.#transactions.catalog.table(ref));
  }

  read(table: RowTable, query: RowQuery, options: { readonly count: boolean }): Promise<RowPage> {
    return this.#transactions.guarded(table, async () => {
      const page = await this.#transactions.runner.run(this.pool, readSql(table, query));
      const total = options.count ? await this.#count(table, query) : null;
      return { rows: page.rows.map(([row]) => row as JsonText), total };
    });
  }

  readOne(table: RowTable, key: readonly string[], select: readonly Selected[] | null): Promise<TaggedRow | null> {
    return this.#transactions.guarded(table, async () => {
      const { rows } = await this.#transactions.runner.run(this.pool, readOneSql(table, key, select));
      const [row] = rows;
      return row === undefined ? null : { row: row[0] as JsonText, etag: row[1] as string };
    });
  }

  write(write: RowWrite, writer: Writer): Promise<WriteResult> {
    return this.#transactions.alone(write, writer);
  }

  transaction<T>(
    writes: readonly RowWrite[],
    writer: Writer,
    conclude: (results: readonly WriteResult[]) => T,
  ): Promise<T> {
    return this.#transactions.run(async (client) => conclude(await this.#writeAll(client, writes, writer)));
  }

  once(
    request: OnceRequest,
    writes: readonly RowWrite[],
    writer: Writer,
    answer: (results: readonly WriteResult[]) => KeptAnswer,
  ): Promise<KeptAnswer> {
    return this.#transactions.run(async (client) => {
      // Locked first and looked up in a new statement: the second of two at once then sees what the first kept.
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('meridian idempotency ' || $1, 0))`, [
        request.key,
      ]);
      const kept = await client.query<KeptRow>(
        'SELECT request, status, headers, body FROM meridian.idempotency WHERE key = $1',
        [request.key],
      );
      if (kept.rows[0] !== undefined) return replayed(kept.rows[0], request);
      const fresh = answer(await this.#writeAll(client, writes, writer));
      await client.query(
        'INSERT INTO meridian.idempotency (key, request, status, headers, body) VALUES ($1, $2, $3, $4, $5)',
        [request.key, request.digest, fresh.status, JSON.stringify(fresh.headers), fresh.body],
      );
      return fresh;
    });
  }

  async #count(table: RowTable, query: RowQuery): Promise<number> {
    const { rows } = await this.#transactions.runner.run(this.pool, countSql(table, query));
    return Number(rows[0]![0]);
  }

  async #writeAll(client: PoolClient, writes: readonly RowWrite[], writer: Writer): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const write of writes) results.push(await this.#transactions.write(client, write, writer));
    return results;
  }
}

interface KeptRow {
  readonly request: string;
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

function replayed(kept: KeptRow, request: OnceRequest): KeptAnswer {
  if (kept.request !== request.digest)
    throw new Refused(
      'idempotency_key_reused',
      'this Idempotency-Key came with another request before: use a new key for a new request',
    );
  return { status: kept.status, headers: JSON.parse(kept.headers) as KeptAnswer['headers'], body: kept.body };
}
