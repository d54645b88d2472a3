import type { ClientBase } from 'pg';
import { CAPTURED, type CaptureTarget, functionName, triggerName } from './capture-target.js';
import { captureDigest } from './install.js';

/**
 * Is what captures this table still what would be generated now? Not after somebody added an AFTER trigger, a partition or a
 * column, or dropped or disabled one of our triggers.
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
  return missing || !(comment ?? '').endsWith(`(${captureDigest(target)})`);
}
