import { createHash } from 'node:crypto';
import type { Numbering, TableName, TableSpec } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { type PolicyDocument, policyJson } from '../catalog/policy-document.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';

/** An enrolled table as list() and get() show it. */
export interface EnrolledTable {
  readonly name: TableName;
  /** As the user wrote it, defaults filled in. */
  readonly policy: unknown;
  readonly spec: StoredSpec;
  readonly state: string;
  readonly reason: string | null;
  readonly numbering: Numbering | null;
  /** ISO 8601. */
  readonly enrolledAt: string;
}

/** Same text, same columns: what regions compare before they exchange rows. */
const signatureOf = (table: CatalogTable): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        table.keyColumns,
        [...table.columns]
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .map((c) => [c.name, c.type, c.notNull, c.generated]),
      ]),
    )
    .digest('hex');

export const storedSpec = (spec: TableSpec, table: CatalogTable): StoredSpec => ({
  ...spec,
  columns: table.columns,
  signature: signatureOf(table),
  referrers: table.referrers,
});

export async function readEnrolled(client: ClientBase, name?: TableName): Promise<readonly EnrolledTable[]> {
  const { rows } = await client.query<EnrolledTable>(
    `SELECT rel AS name, policy, spec, state, reason, numbering,
            to_char(enrolled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "enrolledAt" FROM meridian.enrolled_table WHERE $1::text IS NULL OR rel = $1 ORDER BY rel`,
    [name ?? null],
  );
  return rows;
}

export async function readEpochs(client: ClientBase): Promise<Map<TableName, number>> {
  const { rows } = await client.query<{ rel: TableName; epoch: number }>(
    'SELECT rel, epoch FROM meridian.enrolled_table',
  );
  return new Map(rows.map((r) => [r.rel, r.epoch]));
}

/** Changes wait for it: until they are in, what was said of it stands. */
const WAITS = 'EXISTS (SELECT FROM meridian.waiting_change w WHERE w.rel = excluded.rel)';

export async function storeEnrolled(
  client: ClientBase,
  table: CatalogTable,
  spec: TableSpec,
  document: PolicyDocument,
): Promise<void> {
  await client.query(
    `INSERT INTO meridian.enrolled_table AS t (rel, policy, spec, epoch, state) VALUES ($1, $2, $3, $4, 'active')
     ON CONFLICT (rel) DO UPDATE SET policy = excluded.policy, spec = excluded.spec, epoch = excluded.epoch,
       state = CASE WHEN ${WAITS} THEN t.state ELSE 'active' END, reason = CASE WHEN ${WAITS} THEN t.reason END`,
    [spec.name, policyJson(document), JSON.stringify(storedSpec(spec, table)), spec.epoch],
  );
}

export const storeNumbering = async (client: ClientBase, name: TableName, numbering: Numbering): Promise<void> =>
  void (await client.query('UPDATE meridian.enrolled_table SET numbering = $2 WHERE rel = $1', [
    name,
    JSON.stringify(numbering),
  ]));

/** Its waiting changes are no longer waited for; its parked rows are left alone, and taken up again when it is enrolled anew. */
export async function forgetEnrolled(client: ClientBase, name: TableName): Promise<void> {
  await client.query('DELETE FROM meridian.waiting_change WHERE rel = $1', [name]);
  await client.query('DELETE FROM meridian.enrolled_table WHERE rel = $1', [name]);
}
