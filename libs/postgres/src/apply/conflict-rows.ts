import type { ConflictRecord, JsonText, RowKey, TableName } from '@meridian/core';
import type { Row, Session } from '../connection/session.js';
import { FIELD_COLUMNS, FOLLOWING_COLUMNS, recordsOf, recordsText, recordText } from './conflict-fields.js';
import { portions } from './portions.js';

const COLUMNS = [...FIELD_COLUMNS, 'created_at', 'updated_at'];
const TEXTS = COLUMNS.map((c) => `c.${c}::text`).join(', ');

/** The row's change as capture would log it: the columns' texts. */
const textsOf = (row: string, columns: readonly string[]): string =>
  `json_build_object(${columns.map((c) => `'${c}', ${row}.${c}::text`).join(', ')})`;
const WITHOUT_KEY = COLUMNS.filter((c) => c !== 'id');

/** Who Meridian's own changes are by. */
export const OWN_ACTOR = 'meridian';

/**
 * Capture does not fire for apply, so apply logs its records itself: as local changes, which the next tick carries. By row:
 * every change has the whole row. Stamp and id from the same sequences, epoch of the system table's policy.
 *
 * In one statement, for every record's text on the way to us and back again cost as much as writing it (measured). `held`:
 * known ones are locked before any is written, else FOR UPDATE would skip what this very statement has changed. FULL JOIN, of
 * which each side has all of the other: it cannot become a loop over both.
 */
const RECORD = /* sql */ `
WITH told AS MATERIALIZED (${recordsOf('$1')}),
known AS MATERIALIZED (
  SELECT c.* FROM meridian.conflict c WHERE c.id = ANY (ARRAY (SELECT id FROM told)) ORDER BY c.id FOR UPDATE),
written AS (
  INSERT INTO meridian.conflict AS c (${COLUMNS.join(', ')})
  SELECT told.*, now(), now() FROM told, (SELECT count(*) FROM known) AS held
  ON CONFLICT (id) DO UPDATE
     SET ${[...FOLLOWING_COLUMNS, 'updated_at'].map((c) => `${c} = excluded.${c}`).join(', ')}
  RETURNING c.*),
at AS MATERIALIZED (
  SELECT meridian.next_stamp() AS stamp,
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wall,
         coalesce((SELECT epoch FROM meridian.enrolled_table WHERE rel = 'meridian.conflict'), 1) AS epoch)
INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
SELECT $2, 'meridian.conflict', (CASE WHEN k.id IS NULL THEN 'i' ELSE 'u' END)::"char", json_build_array(w.id), at.stamp, at.wall,
       at.epoch, '${OWN_ACTOR}',
       CASE WHEN k.id IS NULL THEN ${textsOf('w', COLUMNS)} ELSE ${textsOf('w', WITHOUT_KEY)} END,
       CASE WHEN k.id IS NOT NULL THEN ${textsOf('k', WITHOUT_KEY)} END
  FROM at, written w FULL JOIN known k USING (id)`;

export async function recordConflicts(
  session: Session,
  region: string,
  records: readonly ConflictRecord[],
): Promise<void> {
  const latest = [...new Map(records.map((r) => [r.id, r])).values()];
  const texts = latest.map(recordText);
  for (const portion of portions(texts, (text) => text.length)) {
    await session.query(RECORD, [recordsText(portion), region], 'record_conflicts');
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

const parsed = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text));

const recordOf = (row: Row): ConflictRecord => {
  const t = Object.fromEntries(COLUMNS.map((c, i) => [c, row[i] ?? null]));
  return {
    ...{ id: t['id'], table: t['rel'] as TableName, key: t['pk'] as RowKey, kind: t['kind'], region: t['region'] },
    ...{ status: t['status'], loser: parsed(t['loser']), versions: parsed(t['versions']), base: parsed(t['base']) },
    ...{ overwritten: parsed(t['overwritten']), result: parsed(t['result']) as JsonText | null, reason: t['reason'] },
  } as ConflictRecord;
};
