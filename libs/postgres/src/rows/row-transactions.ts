import { type JsonText, Refused, type RowTable, type RowWrite, type Values, type Writer, type WriteResult } from '@meridian/core';
import type { Pool, PoolClient } from 'pg';
import { invalidColumn } from './invalid-column.js';
import { refusalOf, sqlStateOf } from './refusal-of-sqlstate.js';
import { columnOf } from './sql-builder.js';
import { type Answer, StatementRunner } from './statement-runner.js';
import { TableCatalog } from './table-catalog.js';
import { lockedRowSql, textsSql } from './text-sql.js';
import { writeSql } from './write-sql.js';

/** Apply's lock order differs from a user's statement's, and apply gives way; still, the odd deadlock is worth another try. */
const DEADLOCK_TRIES = 3;

/**
 * Requests that wait for a connection, per connection. Beyond, they are refused at once: a longer queue only makes all of
 * them late, also those whose clients have given up.
 */
const WAITING_PER_CONNECTION = 16;

/** How statements on users' rows are sent, tried again after a deadlock, and explained when PostgreSQL refuses them. */
export class RowTransactions {
  readonly catalog: TableCatalog;
  readonly runner: StatementRunner;

  constructor(
    readonly pool: Pool,
    prefix: string,
  ) {
    this.catalog = new TableCatalog(pool);
    this.runner = new StatementRunner(prefix);
  }

  /** One statement, in a transaction of its own. */
  alone(write: RowWrite, writer: Writer): Promise<WriteResult> {
    return this.#retried(() => {
      this.#admit();
      return this.write(this.pool, write, writer);
    });
  }

  async write(on: Pool | PoolClient, write: RowWrite, writer: Writer): Promise<WriteResult> {
    try {
      return resultOf(write, await this.runner.run(on, writeSql(write, writer)));
    } catch (error) {
      throw await this.#explained(error, write);
    }
  }

  /** The JSON values of a write as its columns' types write them. */
  async texts(on: PoolClient, write: RowWrite & { readonly kind: 'update' }): Promise<Values> {
    try {
      const { rows } = await this.runner.run(on, textsSql(write));
      return JSON.parse(rows[0]![0] as string) as Values;
    } catch (error) {
      throw await this.#explained(error, write);
    }
  }

  /** The row with this key, locked; null: there is none. */
  async lockedRow(on: PoolClient, table: RowTable, key: readonly string[]): Promise<Values | null> {
    const { rows } = await this.runner.run(on, lockedRowSql(table, key));
    return rows[0] === undefined ? null : (JSON.parse(rows[0][0] as string) as Values);
  }

  run<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#retried(() =>
      this.guarded(undefined, async () => {
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

  async guarded<T>(table: RowTable | undefined, work: () => Promise<T>): Promise<T> {
    try {
      this.#admit();
      return await work();
    } catch (error) {
      this.#forgetIfChanged(error);
      throw refusalOf(error, table?.name);
    }
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
    if (state?.startsWith('42') === true || state === '0A000') this.catalog.forget();
  }
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
