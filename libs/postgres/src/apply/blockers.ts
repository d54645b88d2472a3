import type { Session } from '../connection/session.js';

/** Who keeps apply waiting: a session, or a transaction that was prepared and forgotten. */
export type Blocker =
  | {
      readonly kind: 'session';
      readonly pid: number;
      readonly user: string;
      readonly application: string;
      /** `idle in transaction` is the usual one. */
      readonly state: string;
      readonly heldMs: number;
      readonly query: string;
    }
  | { readonly kind: 'prepared'; readonly gid: string; readonly owner: string; readonly heldMs: number };

/** pg_blocking_pids names a prepared transaction as pid 0; which one is then told by the transaction that is waited for. */
const BLOCKERS = /* sql */ `
WITH waiting AS MATERIALIZED (
  SELECT l.pid, l.locktype, l.transactionid, l.relation, l.classid, l.objid, pg_blocking_pids(l.pid) AS by
    FROM pg_locks l WHERE l.pid = ANY ($1::int[]) AND NOT l.granted)
SELECT 'session', a.pid::text, a.usename, a.application_name, a.state, left(a.query, 200),
       (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint
  FROM (SELECT DISTINCT unnest(by) AS pid FROM waiting) b JOIN pg_stat_activity a ON a.pid = b.pid
UNION ALL
SELECT DISTINCT 'prepared', p.gid, p.owner, '', '', '', (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::bigint
  FROM waiting w JOIN pg_prepared_xacts p ON p.transaction = w.transactionid`;

/** Asked of another session while the one with this pid waits. Empty when it does not. */
export async function blockersOf(session: Session, pids: readonly number[]): Promise<readonly Blocker[]> {
  const { rows } = await session.query(BLOCKERS, [pids], 'blockers');
  return rows.map(([kind, id, user, application, state, query, heldMs]) =>
    kind === 'prepared'
      ? { kind, gid: id!, owner: user!, heldMs: Number(heldMs) }
      : {
          ...{ kind: 'session', pid: Number(id), user: user!, application: application! },
          ...{ state: state ?? '', heldMs: Number(heldMs), query: query ?? '' },
        },
  );
}
