import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { CAPTURED, type CaptureTarget, functionName, triggerName } from './capture-target.js';
import { captureDigest } from './install.js';

/** Relations that are captured as this table, and are no part of it any more: partitions that were detached. As SQL names them. */
export async function strays(client: ClientBase, table: CatalogTable): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_trigger t
       JOIN pg_class c ON c.oid = t.tgrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE t.tgfoid = ANY (SELECT to_regprocedure(name || '()') FROM unnest($1::text[]) name) AND c.oid <> ALL ($2::oid[])`,
    [CAPTURED.map((op) => functionName(table.name, op)), table.tree.map((r) => r.oid)],
  );
  return rows.map((r) => r.name);
}

/**
 * Is what captures this table still what would be generated now? Not after somebody added an AFTER trigger, a partition or a
 * column, detached a partition, or dropped or disabled one of our triggers.
 */
export async function hasDrifted(client: ClientBase, target: CaptureTarget): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null; missing: boolean }>(
    `SELECT obj_description(to_regprocedure($1), 'pg_proc') AS comment,
            EXISTS (SELECT FROM unnest($2::oid[], $3::boolean[]) AS r(oid, leaf), unnest($4::text[]) AS name
                     WHERE (r.leaf OR name <> $5)
                       AND NOT EXISTS (SELECT FROM pg_trigger t
                                        WHERE t.tgrelid = r.oid AND t.tgname = name AND t.tgenabled = 'A')) AS missing`,
    [
      `${functionName(target.spec.name, 'insert')}()`,
      target.table.tree.map((r) => r.oid),
      target.table.tree.map((r) => r.leaf),
      CAPTURED.map(triggerName),
      triggerName('truncate'),
    ],
  );
  const { comment, missing } = rows[0]!;
  if ((await strays(client, target.table)).length > 0) return true;
  return missing || !(comment ?? '').endsWith(`(${captureDigest(target)})`);
}
