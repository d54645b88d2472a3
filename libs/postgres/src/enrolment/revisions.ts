import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';

/** A policy that the table has or had in this enrolment. */
export interface PolicyRevision {
  readonly epoch: number;
  /** As the user wrote it, defaults filled in. */
  readonly policy: unknown;
  /** ISO 8601; in this region. */
  readonly beganAt: string;
}

/** Newest first. An epoch that changed no policy (it only began anew, beside waiting changes) is left out. */
export async function readRevisions(client: ClientBase, name: TableName): Promise<readonly PolicyRevision[]> {
  const { rows } = await client.query<PolicyRevision>(
    `SELECT epoch, policy, to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "beganAt"
       FROM (SELECT *, lag(policy::text) OVER (ORDER BY epoch) AS before FROM meridian.policy_epoch
              WHERE rel = $1 AND policy IS NOT NULL
                AND epoch > coalesce((SELECT max(epoch) FROM meridian.policy_epoch WHERE rel = $1 AND ended), 0)) p
      WHERE before IS DISTINCT FROM policy::text ORDER BY epoch DESC`,
    [name],
  );
  return rows;
}
