import type { ConflictRecord, JsonText, RowKey, TableName } from '@meridian/core';
import type { Row, Session } from '../connection/session.js';
import { portions } from './portions.js';

const COLUMNS = [
  ...['id', 'rel', 'pk', 'kind', 'region', 'status', 'loser', 'versions', 'base', 'overwritten', 'result', 'reason'],
  ...['created_at', 'updated_at'],
] as const;
const TEXTS = COLUMNS.map((c) => `c.${c}::text`).join(', ');

/** The row's change as capture would log it: the columns' texts. */
const textsOf = (row: string, columns: readonly string[]): string =>
  `json_build_object(${columns.map((c) => `'${c}', ${row}.${c}::text`).join(', ')})`;
const WITHOUT_KEY = COLUMNS.filter((c) => c !== 'id');

/**
 * Capture does not fire for apply, so apply logs its records itself: as local changes, which the next tick carries. By row:
 * every change has the whole row. Stamp and id from the same sequences, epoch of the system table's policy.
 *
 * In one statement, for every record's text on the way to us and back again cost as much as writing it (measured). `held`:
 * known ones are locked before any is written, else FOR UPDATE would skip what this very statement has changed. FULL JOIN, of
 * which each side has all of the other: it cannot become a loop over both.
 */
const RECORD = /* sql */ `
WITH told AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS x(id text, rel text, pk text, kind text, region text, status text, loser json,
                                                 versions json, base json, overwritten json, result json, reason text)),
known AS MATERIALIZED (
  SELECT c.* FROM meridian.conflict c WHERE c.id = ANY ($2) ORDER BY c.id FOR UPDATE),
written AS (
  INSERT INTO meridian.conflict AS c (${COLUMNS.join(', ')})
  SELECT told.*, now(), now() FROM told, (SELECT count(*) FROM known) AS held
  ON CONFLICT (id) DO UPDATE
     SET kind = excluded.kind, status = excluded.status, loser = excluded.loser, versions = excluded.versions, base = excluded.base,
         overwritten = excluded.overwritten, result = excluded.result, reason = excluded.reason, updated_at = excluded.updated_at
  RETURNING c.*),
at AS MATERIALIZED (
  SELECT meridian.next_stamp() AS stamp,
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wall,
         coalesce((SELECT epoch FROM meridian.enrolled_table WHERE rel = 'meridian.conflict'), 1) AS epoch)
INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
SELECT $3, 'meridian.conflict', (CASE WHEN k.id IS NULL THEN 'i' ELSE 'u' END)::"char", json_build_array(w.id), at.stamp, at.wall,
       at.epoch, 'meridian',
       CASE WHEN k.id IS NULL THEN ${textsOf('w', COLUMNS)} ELSE ${textsOf('w', WITHOUT_KEY)} END,
       CASE WHEN k.id IS NOT NULL THEN ${textsOf('k', WITHOUT_KEY)} END
  FROM at, written w FULL JOIN known k USING (id)`;

export async function recordConflicts(
  session: Session,
  region: string,
  records: readonly ConflictRecord[],
): Promise<void> {
  const latest = [...new Map(records.map((r) => [r.id, r])).values()];
  const texts = latest.map((record) => ({ id: record.id, text: JSON.stringify(stored(record)) }));
  for (const portion of portions(texts, ({ text }) => text.length)) {
    const told = `[${portion.map(({ text }) => text).join(',')}]`;
    await session.query(RECORD, [told, portion.map(({ id }) => id), region], 'record_conflicts');
  }
}

export async function conflictRecords(
  session: Session,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ConflictRecord>> {
  if (ids.length === 0) return new Map();
  const { rows } = await session.query(
    `SELECT ${TEXTS} FROM meridian.conflict c WHERE id = ANY ($1)`,
    [ids],
    'conflict_records',
  );
  return new Map(rows.map((row) => [row[0]!, recordOf(row)]));
}

/** A column of type json that says nothing is SQL's NULL, not JSON's. */
const stored = (r: ConflictRecord): object => ({
  ...{ id: r.id, rel: r.table, pk: r.key, kind: r.kind, region: r.region, status: r.status, loser: r.loser },
  ...{ versions: r.versions, base: r.base, overwritten: r.overwritten, result: r.result, reason: r.reason },
});

const parsed = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text));

const recordOf = (row: Row): ConflictRecord => {
  const t = Object.fromEntries(COLUMNS.map((c, i) => [c, row[i] ?? null]));
  return {
    ...{ id: t['id'], table: t['rel'] as TableName, key: t['pk'] as RowKey, kind: t['kind'], region: t['region'] },
    ...{ status: t['status'], loser: parsed(t['loser']), versions: parsed(t['versions']), base: parsed(t['base']) },
    ...{ overwritten: parsed(t['overwritten']), result: parsed(t['result']) as JsonText | null, reason: t['reason'] },
  } as ConflictRecord;
};
