import type { ClientBase } from 'pg';
import { finding, type Finding } from './finding.js';

/** Below this many free connections the next user, or the service after a restart, may find none. */
const CONNECTIONS_FREE = 10;

export interface ServerSettings {
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly usable: number;
  readonly used: number;
  readonly locks: number;
  readonly locksPerTransaction: number;
  readonly relations: number;
}

/**
 * Used: counted by database, for what kind of session another role's is, is hidden from most. Relations: what a statement may
 * have to lock at once, the log's partitions and the enrolled tables' trees.
 */
const SETTINGS = /* sql */ `
SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS "synchronousCommit",
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int AS usable,
       (SELECT sum(numbackends)::int FROM pg_stat_database) AS used,
       current_setting('max_locks_per_transaction')::int
         * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS locks,
       current_setting('max_locks_per_transaction')::int AS "locksPerTransaction",
       (SELECT count(*)::int FROM (SELECT 'meridian.change' AS rel UNION SELECT rel FROM meridian.enrolled_table) t
          CROSS JOIN pg_partition_tree(to_regclass(t.rel)) p JOIN pg_class c ON c.oid = p.relid
          LEFT JOIN pg_index i ON i.indrelid = c.oid) AS relations`;

export async function serverFindings(client: ClientBase): Promise<Finding[]> {
  const { rows } = await client.query<ServerSettings>(SETTINGS);
  return settingsFindings(rows[0]!);
}

export const settingsFindings = (settings: ServerSettings): Finding[] => [
  ...durability(settings),
  ...connections(settings),
  ...locks(settings),
];

function durability({ fsync, synchronousCommit }: ServerSettings): Finding[] {
  const found: Finding[] = [];
  if (fsync === 'off')
    found.push(
      finding(
        'error',
        'fsync_off',
        'server',
        'fsync is off: a crash of the machine may lose what was acknowledged, and what other regions have already',
        'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()',
        { sql: ['ALTER SYSTEM SET fsync = on', 'SELECT pg_reload_conf()'] },
      ),
    );
  if (synchronousCommit === 'off')
    found.push(
      finding(
        'warning',
        'synchronous_commit_off',
        'server',
        "synchronous_commit is off for users' sessions: a crash loses commits of the last moments that were acknowledged",
        'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf(); or RESET it for the database or the role',
        { sql: ['ALTER SYSTEM SET synchronous_commit = on', 'SELECT pg_reload_conf()'] },
      ),
    );
  return found;
}

function connections({ usable, used }: ServerSettings): Finding[] {
  const free = usable - used;
  if (free >= CONNECTIONS_FREE) return [];
  return [
    finding(
      'warning',
      'connections_scarce',
      'server',
      `${Math.max(0, free)} connections of ${usable} are free: a service that starts again may find none`,
      'ALTER SYSTEM SET max_connections = …, then restart the server; or a pool in session mode for the application',
    ),
  ];
}

function locks({ locks: room, locksPerTransaction, relations }: ServerSettings): Finding[] {
  if (relations * 2 <= room) return [];
  return [
    finding(
      'warning',
      'locks_scarce',
      'server',
      `the log and the enrolled tables have ${relations} partitions and indexes, and the server has room for ${room} locks: ` +
        'two statements over all of them run out of shared memory',
      `ALTER SYSTEM SET max_locks_per_transaction = ${locksPerTransaction * 4}, then restart the server`,
    ),
  ];
}
