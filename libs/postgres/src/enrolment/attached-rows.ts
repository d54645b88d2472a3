import type { ClientBase } from 'pg';
import { literal, qualified } from '../catalog/quoting.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';
import { type CaptureTarget, triggerName } from '../capture/capture-target.js';
import { keyArray } from '../capture/expressions.js';
import { PIN_OUTPUT } from './digest.js';

/**
 * Partitions that are not captured yet, with rows that no log entry tells of: they were there when the partition was attached.
 * To be asked before it is captured, while the log has all that was written to it through its parent.
 */
export async function attachedRowsProblems(client: ClientBase, target: CaptureTarget): Promise<EnrolmentProblem[]> {
  const leaves = target.table.tree.filter((r) => r.leaf);
  const { rows } = await client.query<{ oid: string }>(
    'SELECT oid FROM unnest($1::oid[]) oid WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = oid AND t.tgname = $2)',
    [leaves.map((r) => r.oid), triggerName('insert')],
  );
  const uncaptured = new Set(rows.map(({ oid }) => Number(oid)));
  const problems: EnrolmentProblem[] = [];
  for (const { schema, relation } of leaves.filter((r) => uncaptured.has(r.oid)))
    if (await hasUnloggedRows(client, target, qualified(schema, relation)))
      problems.push(
        problem(
          'attached_rows',
          `the partition ${schema}.${relation} came with rows that other regions do not have`,
          `end the table's replication and enrol it again with "initial": {"copyFrom": "${target.region}"}; ` +
            'or detach the partition, attach an empty one, and insert the rows',
        ),
      );
  return problems;
}

async function hasUnloggedRows(client: ClientBase, target: CaptureTarget, partition: string): Promise<boolean> {
  await client.query(PIN_OUTPUT);
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM ${partition} t WHERE NOT EXISTS (
       SELECT FROM meridian.change c WHERE c.rel = ${literal(target.spec.name)} AND c.pk::text = ${keyArray(target, 't')}::text)) AS found`,
  );
  return rows[0]!.found;
}
