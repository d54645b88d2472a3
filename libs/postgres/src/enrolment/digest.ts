import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { literal } from '../catalog/quoting.js';
import { OUTPUT_SETTINGS } from '../catalog/output-settings.js';
import { keyTextOf, textOf } from '../catalog/value-text.js';
import { type CaptureTarget, shippedColumns } from '../capture/capture-target.js';
import { keyArray } from '../capture/expressions.js';

/** A table's content, whatever the order of its rows. Regions whose digests are equal hold equal rows. */
export interface TableDigest {
  readonly rows: number;
  readonly digest: string;
  /** One sum per bucket of keys: where two regions' differ, the rows that differ are in these buckets. */
  readonly buckets: readonly string[];
}

export const BUCKETS = 64;

/** The text output of two servers with other settings would differ. */
export const PIN_OUTPUT = Object.entries(OUTPUT_SETTINGS)
  .map(([name, value]) => `SET LOCAL ${name} = ${literal(value)}`)
  .join('; ');

/** Columns by name, for two regions may have them in another order; the lengths keep neighbours apart. */
function rowText(target: CaptureTarget): string {
  const columns = [...shippedColumns(target)].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = columns.map((c) => {
    const text = target.spec.keyColumns.includes(c.name) ? keyTextOf(c, 't') : textOf(c, 't');
    return `coalesce(length(${text}) || ':' || ${text}, '-')`;
  });
  return parts.join(` || ',' || `);
}

export async function digestOf(client: ClientBase, target: CaptureTarget): Promise<TableDigest> {
  const { rows } = await client.query<{ bucket: number; rows: string; sum: string }>(`
SELECT bucket, count(*) AS rows, sum(hash) AS sum
  FROM (SELECT (hashtextextended(${keyArray(target, 't')}::text, 1) & ${BUCKETS - 1})::int AS bucket,
               hashtextextended(${rowText(target)}, 0)::numeric AS hash
          FROM ${target.spec.name} t) r
 GROUP BY bucket`);
  const buckets = Array.from({ length: BUCKETS }, () => '0:0');
  for (const r of rows) buckets[r.bucket] = `${r.rows}:${r.sum}`;
  return {
    rows: rows.reduce((n, r) => n + Number(r.rows), 0),
    digest: createHash('sha256').update(buckets.join(' ')).digest('hex'),
    buckets,
  };
}

export interface RowHash {
  readonly key: string;
  readonly hash: string;
}

/** The rows of some buckets, by key: two regions' lists, compared, give the rows that differ. */
export async function rowHashes(
  client: ClientBase,
  target: CaptureTarget,
  buckets: readonly number[],
  limit: number,
): Promise<RowHash[]> {
  const { rows } = await client.query<RowHash>(
    `SELECT key, hash FROM (
       SELECT ${keyArray(target, 't')}::text AS key, hashtextextended(${rowText(target)}, 0)::text AS hash FROM ${target.spec.name} t) r
      WHERE (hashtextextended(key, 1) & ${BUCKETS - 1}) = ANY ($1::bigint[]) ORDER BY key COLLATE "C" LIMIT $2`,
    [buckets, limit],
  );
  return rows;
}
