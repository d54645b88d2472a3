import type { RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import { finding, type Finding } from './finding.js';

interface Parked {
  readonly rel: string;
  readonly rows: number;
  readonly orphans: number;
  readonly seconds: number;
}

const PARKED = /* sql */ `
SELECT rel, count(*)::int AS rows, count(*) FILTER (WHERE reason->>'kind' = 'foreign_key')::int AS orphans,
       extract(epoch FROM clock_timestamp() - min(parked_at))::int AS seconds
  FROM meridian.parked p WHERE NOT meridian.is_overtaken(p) GROUP BY rel ORDER BY rel`;

export async function parkedFindings(client: ClientBase): Promise<Finding[]> {
  const { rows } = await client.query<Parked>(PARKED);
  return rows.map(({ rel, rows: count, orphans, seconds }) =>
    finding(
      'warning',
      'rows_parked',
      rel,
      `${count} rows are out of the table, the oldest for ${seconds} s: ${orphans} miss their parent, of ${count - orphans} another row has the unique value`,
      `they return by themselves when the value is free or the parent is there; GET /v1/conflicts?table=${encodeURIComponent(rel)} names them`,
    ),
  );
}

const SIZE = /* sql */ `
SELECT count(*)::int AS partitions, pg_size_pretty(coalesce(sum(pg_total_relation_size(inhrelid)), 0)) AS size
  FROM pg_inherits WHERE inhparent = 'meridian.change'::regclass`;

/**
 * The stable cut is, per origin, the least that any member is known to have: here the member, and the origin, with the oldest
 * tick that is not known to have arrived. Members tell it by the deps of their ticks.
 */
const HELD_BACK = /* sql */ `
SELECT m.name AS member, o.origin, k.known + 1 AS seq, extract(epoch FROM clock_timestamp() - t.at)::int AS seconds
  FROM unnest($1::text[]) AS m(name)
 CROSS JOIN meridian.applied o
  LEFT JOIN meridian.applied a ON a.origin = m.name
 CROSS JOIN LATERAL (SELECT coalesce((a.deps->>o.origin)::bigint, 0) AS known) k
  JOIN meridian.tick t ON t.origin = o.origin AND t.seq = k.known + 1
 WHERE o.origin <> m.name AND t.at < clock_timestamp() - $2 * interval '1 ms'
 ORDER BY t.at LIMIT 1`;

export async function logFindings(
  client: ClientBase,
  peers: readonly RegionId[],
  heldBackMs: number,
): Promise<Finding[]> {
  const { rows } = await client.query<{ partitions: number; size: string }>(SIZE);
  const held = await client.query<{ member: string; origin: string; seq: string; seconds: number }>(HELD_BACK, [
    peers,
    heldBackMs,
  ]);
  return [
    finding('info', 'log_size', 'log', `${rows[0]!.size} in ${rows[0]!.partitions} partitions`),
    ...held.rows.map(({ member, origin, seq, seconds }) =>
      finding(
        'warning',
        'log_held_back',
        'log',
        `${member} is not known to have ${origin}'s ticks from ${seq} on, ${seconds} s old: the log is kept for it from there`,
        `bring ${member} back; until then watch the disk`,
      ),
    ),
  ];
}
