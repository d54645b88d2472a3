/** The session is gone: its transaction is rolled back, or, when it broke during COMMIT, in an unknown state. Connect again and look. */
export class ConnectionLostError extends Error {
  readonly code = 'connection_lost';
  constructor(role: string, cause: unknown) {
    super(`the ${role} connection to PostgreSQL is lost${cause instanceof Error ? `: ${cause.message}` : ''}`, {
      cause,
    });
    this.name = 'ConnectionLostError';
  }
}

/** Connected to a standby, or to a database that refuses writes. */
export class ReadOnlyDatabaseError extends Error {
  readonly code = 'database_read_only';
  constructor(why: 'standby' | 'default_transaction_read_only') {
    super(
      why === 'standby'
        ? 'PostgreSQL is a standby (in recovery): point postgres.url at the primary'
        : 'default_transaction_read_only is on for this role or database: Meridian cannot write; ALTER ROLE … RESET it',
    );
    this.name = 'ReadOnlyDatabaseError';
  }
}

/** Transaction pooling (pgbouncer) gives every transaction another session: settings and session locks do not last. */
export class SessionNotKeptError extends Error {
  readonly code = 'session_not_kept';
  constructor() {
    super(
      'a pooler in transaction mode lies between Meridian and PostgreSQL: use its session mode, or connect directly',
    );
    this.name = 'SessionNotKeptError';
  }
}
