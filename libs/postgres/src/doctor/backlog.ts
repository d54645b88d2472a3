import type { RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import { ident } from '../catalog/quoting.js';
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
SELECT count(*)::int AS partitions, pg_size_pretty(coalesce(sum(pg_total_relation_size(inhrelid)), 0)) AS size,
       (SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'meridian.change'::regclass AND c.relname ~ '^change_[0-9]+$'
         ORDER BY substr(c.relname, 8)::bigint LIMIT 1) AS oldest
  FROM pg_inherits WHERE inhparent = 'meridian.change'::regclass`;

/** Its first row in the file is one of its first: there is no index by time, and none is needed for this. */
const sinceSql = (partition: string): string =>
  `SELECT to_char(to_timestamp(wall / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since FROM meridian.${ident(partition)} LIMIT 1`;

interface LogSize {
  readonly partitions: number;
  readonly size: string;
  readonly oldest: string | null;
}

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
 ORDER BY t.at, t.seq, member LIMIT 1`;

export async function logFindings(
  client: ClientBase,
  peers: readonly RegionId[],
  heldBackMs: number,
): Promise<Finding[]> {
  const { rows } = await client.query<LogSize>(SIZE);
  const { size, partitions, oldest } = rows[0]!;
  const since = oldest === null ? undefined : (await client.query<{ since: string }>(sinceSql(oldest))).rows[0]?.since;
  const oldestIs = since === undefined ? '' : `, the oldest, ${oldest}, with changes since ${since}`;
  const held = await client.query<{ member: string; origin: string; seq: string; seconds: number }>(HELD_BACK, [
    peers,
    heldBackMs,
  ]);
  return [
    finding('info', 'log_size', 'log', `${size} in ${partitions} partitions${oldestIs}`),
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
