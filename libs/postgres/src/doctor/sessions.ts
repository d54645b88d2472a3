import type { ClientBase } from 'pg';
import type { Blocker } from '../apply/blockers.js';
import { literal } from '../catalog/quoting.js';
import { finding, type Finding } from './finding.js';

interface Session {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly seconds: number;
}

interface Prepared {
  readonly gid: string;
  readonly owner: string;
  readonly seconds: number;
}

const PREPARED = /* sql */ `
SELECT gid, owner, extract(epoch FROM clock_timestamp() - prepared)::int AS seconds FROM pg_prepared_xacts
 WHERE database = current_database() AND prepared < clock_timestamp() - $1 * interval '1 ms' ORDER BY prepared`;

const IDLE = /* sql */ `
SELECT pid, usename AS user, application_name AS application, extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds
  FROM pg_stat_activity
 WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
   AND xact_start < clock_timestamp() - $1 * interval '1 ms' ORDER BY xact_start`;

/** Of sessions of other roles PostgreSQL shows neither state nor times, unless we may read its statistics. Apply's are ours. */
const HIDDEN = /* sql */ `
SELECT count(*)::int AS hidden, quote_ident(current_user) AS me FROM pg_stat_activity
 WHERE datname = current_database() AND query = '<insufficient privilege>' AND usename <> $1`;

/** Who keeps changes from being shipped, or rows from being applied: by pid or gid, as PostgreSQL ends them. */
export async function sessionFindings(client: ClientBase, applyRole: string, olderThanMs: number): Promise<Finding[]> {
  const prepared = await client.query<Prepared>(PREPARED, [olderThanMs]);
  const idle = await client.query<Session>(IDLE, [olderThanMs]);
  const hidden = await client.query<{ hidden: number; me: string }>(HIDDEN, [applyRole]);
  return [...prepared.rows.map(forgotten), ...idle.rows.map(idling), ...hidden.rows.flatMap(unseen)];
}

const ending = (gid: string): string => `COMMIT PREPARED ${literal(gid)}; or: ROLLBACK PREPARED ${literal(gid)}`;

const forgotten = ({ gid, owner, seconds }: Prepared): Finding =>
  finding(
    'warning',
    'prepared_transaction',
    `transaction ${gid}`,
    `prepared by ${owner} ${seconds} s ago, and neither committed nor rolled back: its changes are not shipped, and the rows that it holds take none`,
    ending(gid),
  );

const idling = ({ pid, user, application, seconds }: Session): Finding =>
  finding(
    'warning',
    'idle_in_transaction',
    `session ${pid}`,
    `${user} (${application}) has been in a transaction for ${seconds} s and is idle: what it wrote is not shipped, and the rows that it holds take no changes`,
    `SELECT pg_terminate_backend(${pid}); and for the role: ALTER ROLE … SET idle_in_transaction_session_timeout = '1min'`,
  );

const unseen = ({ hidden, me }: { hidden: number; me: string }): Finding[] =>
  hidden === 0
    ? []
    : [
        finding(
          'info',
          'sessions_hidden',
          'server',
          `${hidden} sessions of other roles are not to be seen: one that is idle in a transaction would not be named here`,
          `as an administrator: GRANT pg_read_all_stats TO ${me}`,
        ),
      ];

/** Of the apply transaction that is waiting now. */
export const blockerFinding = (blocker: Blocker): Finding =>
  blocker.kind === 'prepared'
    ? finding(
        'error',
        'apply_held_up',
        `transaction ${blocker.gid}`,
        `apply waits for a row that it holds, prepared by ${blocker.owner} ${Math.round(blocker.heldMs / 1000)} s ago`,
        ending(blocker.gid),
      )
    : finding(
        'warning',
        'apply_held_up',
        `session ${blocker.pid}`,
        `apply waits for a row that ${blocker.user} (${blocker.application}) holds, ${blocker.state}, for ${Math.round(blocker.heldMs / 1000)} s`,
        `SELECT pg_terminate_backend(${blocker.pid})`,
      );
