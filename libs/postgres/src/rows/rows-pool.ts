import { Pool } from 'pg';

export interface RowsPoolOptions {
  readonly url: string;
  readonly max: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/**
 * REST's connections. What the text of a value depends on is pinned, so that rows and ETags read alike in every region,
 * and `application_name` is what the log shows as the application of a request that names none.
 */
export function createRowsPool(options: RowsPoolOptions): Pool {
  const settings = {
    DateStyle: 'ISO,YMD',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    extra_float_digits: '1',
    bytea_output: 'hex',
    statement_timeout: String(options.statementTimeoutMs),
    lock_timeout: String(options.lockTimeoutMs),
    // A process that was stopped between BEGIN and COMMIT must not hold its rows.
    idle_in_transaction_session_timeout: '10000',
    synchronous_commit: 'on',
    // Single-row statements never repay compilation (measured elsewhere: 20 ms for a first compiled plan).
    jit: 'off',
  };
  const pool = new Pool({
    connectionString: options.url,
    max: options.max,
    application_name: 'meridian rest',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // An idle connection that PostgreSQL ends is no failure of a request; the pool opens another.
  pool.on('error', () => undefined);
  return pool;
}
