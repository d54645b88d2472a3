import { Client, type ClientBase } from 'pg';
import { SetupError, type SetupErrorCode } from './setup-error.js';

const OLDEST = 150_000;

export interface ServerState {
  /** server_version_num. */
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly readonly: boolean;
}

/** Refuses what Meridian cannot work on, before it writes anything. */
export async function checkServer(client: Client, url: string): Promise<void> {
  const [refusal] = serverRefusals(await readServerState(client));
  if (refusal !== undefined) throw refusal;
  await refuseTransactionPooling(client, url);
}

export async function readServerState(client: ClientBase): Promise<ServerState> {
  const { rows } = await client.query<ServerState>(`
SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS readonly`);
  return rows[0]!;
}

export function serverRefusals(server: ServerState): SetupError[] {
  const refusals: SetupError[] = [];
  const refuse = (code: SetupErrorCode, message: string): void => void refusals.push(new SetupError(code, message));
  if (server.version < OLDEST)
    refuse(
      'postgres_too_old',
      `PostgreSQL ${Math.floor(server.version / 10_000)} is too old: Meridian needs 15 or later`,
    );
  if (server.standby) refuse('read_only_server', 'this server is a standby: point postgres.url at the primary');
  else if (server.readonly)
    refuse('read_only_server', 'transactions are read-only here: ALTER ROLE … SET default_transaction_read_only = off');
  if (server.encoding !== 'UTF8')
    refuse('not_utf8', `the database's encoding is ${server.encoding}: Meridian needs UTF8, for values travel as JSON`);
  return refusals;
}

const ROUNDS = 3;

/**
 * Behind a pooler in transaction mode, two of its clients that are between transactions share a server process; connected to
 * the server itself (or in session mode) they never do. Session locks and settings, on which relay and apply rely, would be
 * somebody else's a statement later.
 */
async function refuseTransactionPooling(client: Client, url: string): Promise<void> {
  const other = new Client({ connectionString: url });
  await other.connect();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if ((await backend(client)) !== (await backend(other))) continue;
      throw new SetupError(
        'transaction_pooling',
        'postgres.url leads to a pooler in transaction mode: connect to PostgreSQL itself, or to a pool in session mode',
      );
    }
  } finally {
    await other.end();
  }
}

const backend = async (client: Client): Promise<number> =>
  (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
