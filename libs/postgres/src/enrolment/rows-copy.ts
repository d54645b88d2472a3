import { type ClientBase, DatabaseError } from 'pg';
import { ident } from '../catalog/quoting.js';
import { EnrolmentRefused, problem } from '../catalog/refusal.js';
import { type CaptureTarget, shippedColumns } from '../capture/capture-target.js';
import { wholeRow } from '../capture/expressions.js';
import { dropCapture, installCapture } from '../capture/install.js';

const PAGE_ROWS = 2_000;

/** The table's rows as JSON arrays of `{"column": "text"}`, a page each; in the transaction that holds the table still. */
export async function* readPages(client: ClientBase, target: CaptureTarget): AsyncGenerator<string> {
  await client.query(
    `DECLARE rows_copied NO SCROLL CURSOR FOR SELECT (${wholeRow(target, 't')})::text AS row FROM ${target.spec.name} t`,
  );
  for (;;) {
    const { rows } = await client.query<{ row: string }>(`FETCH ${PAGE_ROWS} FROM rows_copied`);
    if (rows.length === 0) break;
    yield `[${rows.map((r) => r.row).join(',')}]`;
  }
  await client.query('CLOSE rows_copied');
}

/**
 * Brings the table to these rows. As a replica: neither users' triggers nor foreign keys run, for the donor's rows are already
 * what they made of them, and a cascade would empty other tables. Capture is taken off for the time, so nothing is logged.
 */
export async function replaceRows(
  client: ClientBase,
  target: CaptureTarget,
  pages: AsyncIterable<string>,
): Promise<number> {
  await asReplica(client, target);
  await dropCapture(client, target.table);
  await client.query(`DELETE FROM ${target.spec.name}`);
  let count = 0;
  for await (const page of pages) count += (await client.query(insertPage(target), [page])).rowCount ?? 0;
  await installCapture(client, target);
  await client.query('SET LOCAL session_replication_role = origin');
  return count;
}

async function asReplica(client: ClientBase, target: CaptureTarget): Promise<void> {
  try {
    await client.query('SAVEPOINT as_replica; SET LOCAL session_replication_role = replica; RELEASE as_replica');
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === '42501')) throw error;
    await client.query('ROLLBACK TO as_replica');
    throw new EnrolmentRefused(target.spec.name, [
      problem(
        'replica_role_missing',
        'copying rows from another region needs session_replication_role',
        'as an administrator: GRANT SET ON PARAMETER session_replication_role TO the role of postgres.url',
      ),
    ]);
  }
}

/** Read as text and cast: a typed json_to_recordset would take a json column's text for a JSON string. */
function insertPage(target: CaptureTarget): string {
  const columns = shippedColumns(target);
  const names = columns.map((c) => ident(c.name)).join(', ');
  const values = columns.map((c) => `r.${ident(c.name)}::${c.type}`).join(', ');
  const texts = columns.map((c) => `${ident(c.name)} text`).join(', ');
  return `INSERT INTO ${target.spec.name} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM json_to_recordset($1::json) AS r(${texts})`;
}
