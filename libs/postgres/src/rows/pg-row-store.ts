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
  type WriteResult,
} from '@meridian/core';
import type { Pool, PoolClient } from 'pg';
import { countSql, readOneSql, readSql } from './read-sql.js';
import { refusalOf, sqlStateOf } from './refusal-of-sqlstate.js';
import { type Answer, StatementRunner } from './statement-runner.js';
import { TableCatalog } from './table-catalog.js';
import { columnOf } from './sql-builder.js';
import { invalidColumn } from './invalid-column.js';
import { writeSql } from './write-sql.js';

/** Apply's lock order differs from a user's statement's, and apply gives way; still, the odd deadlock is worth another try. */
const DEADLOCK_TRIES = 3;

/**
 * Requests that wait for a connection, per connection. Beyond, they are refused at once: a longer queue only makes all of
 * them late, also those whose clients have given up.
 */
const WAITING_PER_CONNECTION = 16;

/** The users' rows by raw pg (see `RowStore`). */
export class PgRowStore implements RowStore {
  readonly #catalog: TableCatalog;
  readonly #runner = new StatementRunner();

  constructor(private readonly pool: Pool) {
    this.#catalog = new TableCatalog(pool);
  }

  table(ref: TableRef): Promise<RowTable | null> {
    return this.#guarded(undefined, () => this.#catalog.table(ref));
  }

  read(table: RowTable, query: RowQuery, options: { readonly count: boolean }): Promise<RowPage> {
    return this.#guarded(table, async () => {
      const page = await this.#runner.run(this.pool, readSql(table, query));
      const total = options.count ? await this.#count(table, query) : null;
      return { rows: page.rows.map(([row]) => row as JsonText), total };
    });
  }

  readOne(table: RowTable, key: readonly string[], select: readonly Selected[] | null): Promise<TaggedRow | null> {
    return this.#guarded(table, async () => {
      const { rows } = await this.#runner.run(this.pool, readOneSql(table, key, select));
      const [row] = rows;
      return row === undefined ? null : { row: row[0] as JsonText, etag: row[1] as string };
    });
  }

  async write(write: RowWrite, actor: string): Promise<WriteResult> {
    return this.#retried(async () => {
      try {
        this.#admit();
        return resultOf(write, await this.#runner.run(this.pool, writeSql(write, actor)));
      } catch (error) {
        throw await this.#explained(error, write);
      }
    });
  }

  transaction<T>(
    writes: readonly RowWrite[],
    actor: string,
    conclude: (results: readonly WriteResult[]) => T,
  ): Promise<T> {
    return this.#inTransaction(async (client) => conclude(await this.#writeAll(client, writes, actor)));
  }

  once(
    request: OnceRequest,
    writes: readonly RowWrite[],
    actor: string,
    answer: (results: readonly WriteResult[]) => KeptAnswer,
  ): Promise<KeptAnswer> {
    return this.#inTransaction(async (client) => {
      // Locked first and looked up in a new statement: the second of two at once then sees what the first kept.
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('meridian idempotency ' || $1, 0))`, [
        request.key,
      ]);
      const kept = await client.query<KeptRow>(
        'SELECT request, status, headers, body FROM meridian.idempotency WHERE key = $1',
        [request.key],
      );
      if (kept.rows[0] !== undefined) return replayed(kept.rows[0], request);
      const fresh = answer(await this.#writeAll(client, writes, actor));
      await client.query(
        'INSERT INTO meridian.idempotency (key, request, status, headers, body) VALUES ($1, $2, $3, $4, $5)',
        [request.key, request.digest, fresh.status, JSON.stringify(fresh.headers), fresh.body],
      );
      return fresh;
    });
  }

  async #count(table: RowTable, query: RowQuery): Promise<number> {
    const { rows } = await this.#runner.run(this.pool, countSql(table, query));
    return Number(rows[0]![0]);
  }

  async #writeAll(client: PoolClient, writes: readonly RowWrite[], actor: string): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const write of writes) {
      try {
        results.push(resultOf(write, await this.#runner.run(client, writeSql(write, actor))));
      } catch (error) {
        throw await this.#explained(error, write);
      }
    }
    return results;
  }

  #inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#retried(() =>
      this.#guarded(undefined, async () => {
        const client = await this.pool.connect();
        let broken: Error | undefined;
        try {
          await client.query('BEGIN');
          const result = await work(client);
          await client.query('COMMIT');
          return result;
        } catch (error) {
          await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
          throw error;
        } finally {
          client.release(broken);
        }
      }),
    );
  }

  /** A deadlock's victim was rolled back whole, so the work can simply be done again. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isDeadlock = error instanceof Refused && error.members.sqlState === '40P01';
        if (!isDeadlock || attempt >= DEADLOCK_TRIES) throw error;
      }
    }
  }

  async #guarded<T>(table: RowTable | undefined, work: () => Promise<T>): Promise<T> {
    try {
      this.#admit();
      return await work();
    } catch (error) {
      this.#forgetIfChanged(error);
      throw refusalOf(error, table?.name);
    }
  }

  #admit(): void {
    if (this.pool.waitingCount < this.pool.options.max * WAITING_PER_CONNECTION) return;
    throw new Refused(
      'overloaded',
      'more requests wait for the database than it can soon answer: try again later, and slower',
    );
  }

  async #explained(error: unknown, write: RowWrite): Promise<unknown> {
    this.#forgetIfChanged(error);
    const column = sqlStateOf(error)?.startsWith('22') ? await invalidColumn(this.pool, write) : null;
    const refusal = refusalOf(error, write.table.name);
    if (column === null || !(refusal instanceof Refused)) return refusal;
    const { type } = columnOf(write.table, column);
    return new Refused(
      refusal.code,
      `column "${column}" (${type}): ${refusal.message}`,
      { ...refusal.members, column },
      { cause: error },
    );
  }

  #forgetIfChanged(error: unknown): void {
    const state = sqlStateOf(error);
    if (state?.startsWith('42') === true || state === '0A000') this.#catalog.forget();
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

function resultOf(write: RowWrite, { rows, count }: Answer): WriteResult {
  const shown = write.returning.kind === 'rows';
  return {
    count,
    rows: shown ? rows.map(([row]) => row as JsonText) : [],
    etag: shown && rows.length === 1 ? (rows[0]![1] as string) : null,
    inserted: write.kind === 'replace' && rows[0]?.at(-1) === true,
  };
}
