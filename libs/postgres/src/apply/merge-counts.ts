import type { Merge } from '@meridian/core';
import type { Session } from '../connection/session.js';

const COUNT = /* sql */ `
INSERT INTO meridian.merge_count AS m (rel, columns, policy, merges)
SELECT rel, columns, policy, count(*) FROM json_to_recordset($1::json) AS x(rel text, columns text, policy text) GROUP BY rel, columns, policy
ON CONFLICT (rel, columns, policy) DO UPDATE SET merges = m.merges + excluded.merges`;

/** In the transaction that applies them: none counts twice, whoever dies. */
export async function countMerges(session: Session, merges: readonly Merge[]): Promise<void> {
  const rows = merges.map(({ table, columns, policy }) => ({ rel: table, columns: JSON.stringify(columns), policy }));
  await session.query(COUNT, [JSON.stringify(rows)], 'count_merges');
}
