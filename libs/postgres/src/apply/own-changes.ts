import type { OwnChange, RegionId } from '@meridian/core';
import { OWN_ACTOR } from './conflict-rows.js';
import type { Session } from '../connection/session.js';

/** As capture logs a user's: stamps and ids from the same sequences, epochs of the tables' policies. */
const LOG = /* sql */ `
WITH at AS MATERIALIZED (
  SELECT meridian.next_stamp() AS stamp, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wall)
INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
SELECT $2, x.rel, x.op, x.pk, at.stamp, coalesce(x.wall, at.wall), t.epoch, $3, x.patch, x.before
  FROM at, json_to_recordset($1::json) AS x(rel text, op "char", pk json, wall bigint, patch json, before json)
  JOIN meridian.enrolled_table t ON t.rel = x.rel`;

/** JSON that PostgreSQL wrote is spliced in as it is: what is logged of a value is its very text. */
export async function logOwn(session: Session, region: RegionId, changes: readonly OwnChange[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(
    ({ ref, op, patch, before, wall }) =>
      `{"rel": ${JSON.stringify(ref.table)}, "op": "${op === 'update' ? 'u' : 'd'}", "pk": ${ref.key}, "wall": ${wall ?? 'null'}, "patch": ${patch ?? 'null'}, "before": ${before}}`,
  );
  await session.query(LOG, [`[${rows.join(',')}]`, region, OWN_ACTOR], 'log_own');
}

/** Everybody who comes to write waits behind it meanwhile. */
const WRITERS_LOCK_TIMEOUT_MS = 50;

export const holdWriters = (session: Session, tables: readonly string[], lockTimeoutMs: number): Promise<unknown> =>
  session.script(
    `SET LOCAL lock_timeout = ${WRITERS_LOCK_TIMEOUT_MS}; LOCK TABLE ${tables.join(', ')} IN SHARE ROW EXCLUSIVE MODE; SET LOCAL lock_timeout = ${lockTimeoutMs}`,
  );
