import { createHash } from 'node:crypto';
import { type EarlierPolicy, type Numbering, type TableName, type TableSpec, mergedColumns } from '@meridian/core';
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
  /** waiting: the table takes no changes here, for this reason. */
  readonly state: string;
  readonly reason: string | null;
  /** How the table here is not what the regions agreed on. */
  readonly differs: string | null;
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
  oid: table.oid,
  missing: [],
  referrers: table.referrers,
});

export async function readEnrolled(client: ClientBase, name?: TableName): Promise<readonly EnrolledTable[]> {
  const { rows } = await client.query<EnrolledTable>(
    `SELECT rel AS name, policy, spec, CASE WHEN differs IS NULL THEN state ELSE 'waiting' END AS state, coalesce(differs, reason) AS reason, differs, numbering,
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

export interface Epochs {
  /** The last one of the table's ended enrolments here; 0: it had none. */
  readonly ended: number;
  /** Of its policy now; null: it is not enrolled. */
  readonly present: number | null;
}

export async function epochsOf(client: ClientBase, name: TableName): Promise<Epochs> {
  const { rows } = await client.query<Epochs>(
    `SELECT coalesce((SELECT max(epoch) FROM meridian.policy_epoch WHERE rel = $1 AND ended), 0) AS ended,
            (SELECT epoch FROM meridian.enrolled_table WHERE rel = $1) AS present`,
    [name],
  );
  return rows[0]!;
}

/**
 * Ends the table's enrolment here, up to this epoch, which other regions may know and this one not. Its changes that arrive
 * from now on are let pass, and those that wait are waited for no more: they are in the log, and in their origin's table.
 * Its counters are what they show: nobody would take a deleted row's excess away.
 */
export async function endEnrolment(client: ClientBase, name: TableName, upTo: number): Promise<void> {
  await forget(client, name, ['counter_excess', 'share_base', 'waiting_change', 'enrolled_table']);
  // Replicated, and each region's own rows its own to delete.
  await client.query('DELETE FROM meridian.share WHERE rel = $1 AND region = (SELECT name FROM meridian.region)', [
    name,
  ]);
  await client.query(
    `INSERT INTO meridian.policy_epoch AS p (rel, epoch, counters, ended) VALUES ($1, $2, '[]', true)
     ON CONFLICT (rel, epoch) DO UPDATE SET ended = true`,
    [name, upTo],
  );
}

/** Only what shows in the table is compared between the regions: rows parked under an earlier enrolment are in their records alone. */
export async function beginEnrolment(client: ClientBase, name: TableName, ended: number): Promise<void> {
  if (ended > 0) await endEnrolment(client, name, ended);
  await forget(client, name, ['parked', 'claim']);
}

async function forget(client: ClientBase, name: TableName, kept: readonly string[]): Promise<void> {
  for (const table of kept) await client.query(`DELETE FROM meridian.${table} WHERE rel = $1`, [name]);
}

export async function isWaitedFor(client: ClientBase, name: TableName): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM meridian.waiting_change WHERE rel = $1 LIMIT 1', [name]);
  return rows.length > 0;
}

/** Changes wait for it: until they are in, what was said of it stands. */
const WAITS = 'EXISTS (SELECT FROM meridian.waiting_change w WHERE w.rel = excluded.rel)';

export async function storeEnrolled(client: ClientBase, spec: StoredSpec, document: PolicyDocument): Promise<void> {
  await client.query(
    `INSERT INTO meridian.enrolled_table AS t (rel, policy, spec, epoch, state) VALUES ($1, $2, $3, $4, 'active')
     ON CONFLICT (rel) DO UPDATE SET policy = excluded.policy, spec = excluded.spec, epoch = excluded.epoch, differs = NULL,
       state = CASE WHEN ${WAITS} THEN t.state ELSE 'active' END, reason = CASE WHEN ${WAITS} THEN t.reason END`,
    [spec.name, policyJson(document), JSON.stringify(spec), spec.epoch],
  );
  await client.query('DELETE FROM meridian.counter_excess WHERE rel = $1 AND column_name <> ALL ($2)', [
    spec.name,
    spec.counters,
  ]);
  await client.query(
    `INSERT INTO meridian.policy_epoch AS p (rel, epoch, counters, merged, policy, ended) VALUES ($1, $2, $3, $4, $5, false)
     ON CONFLICT (rel, epoch) DO UPDATE SET counters = excluded.counters, merged = excluded.merged, policy = excluded.policy
       WHERE (p.counters::text, p.merged::text, p.policy::text) IS DISTINCT FROM (excluded.counters::text, excluded.merged::text, excluded.policy::text)`,
    [
      ...[spec.name, spec.epoch, JSON.stringify(spec.counters), JSON.stringify(mergedColumns(spec))],
      policyJson(document),
    ],
  );
}

/** What became of an enrolled table here; its policy stays as the regions agreed. */
export async function storePresent(client: ClientBase, spec: StoredSpec, differs: string | null): Promise<void> {
  await client.query('UPDATE meridian.enrolled_table SET spec = $2, differs = $3 WHERE rel = $1', [
    spec.name,
    JSON.stringify(spec),
    differs,
  ]);
}

/** What the regions agree on now. `before`: what they had agreed on, in the columns of now. */
export function agreedSpec(spec: TableSpec, table: CatalogTable, before: StoredSpec | undefined): StoredSpec {
  const stored = storedSpec(spec, table);
  if (before === undefined) return stored;
  return {
    ...stored,
    renamed: before.renamed,
    earlier: spec.epoch === before.epoch ? (before.earlier ?? []) : earlierThan(before),
  };
}

/** Changes of more policies ago than this are on their way no more. */
const MOST_EARLIER = 100;

function earlierThan({ epoch, registers, delete: onDelete, earlier = [] }: StoredSpec): readonly EarlierPolicy[] {
  return [{ epoch, registers, delete: onDelete }, ...earlier].slice(0, MOST_EARLIER);
}

export const storeNumbering = async (client: ClientBase, name: TableName, numbering: Numbering): Promise<void> =>
  void (await client.query('UPDATE meridian.enrolled_table SET numbering = $2 WHERE rel = $1', [
    name,
    JSON.stringify(numbering),
  ]));
