import type { ConflictRecord, JsonText, RowKey, TableName } from '@meridian/core';
import type { Row, Session } from '../connection/session.js';

const COLUMNS = [
  ...['id', 'rel', 'pk', 'kind', 'region', 'status', 'loser', 'versions', 'base', 'overwritten', 'result', 'reason'],
  ...['created_at', 'updated_at'],
] as const;
const LIST = COLUMNS.join(', ');

/** As texts: what a change of the table carries. */
const TEXTS = COLUMNS.map((c) => `c.${c}::text`).join(', ');

const UPSERT = /* sql */ `
INSERT INTO meridian.conflict AS c (${LIST})
SELECT x.*, now(), now()
  FROM json_to_recordset($1::json) AS x(id text, rel text, pk text, kind text, region text, status text, loser json, versions json,
                                        base json, overwritten json, result json, reason text)
ON CONFLICT (id) DO UPDATE
   SET kind = excluded.kind, status = excluded.status, loser = excluded.loser, versions = excluded.versions, base = excluded.base,
       overwritten = excluded.overwritten, result = excluded.result, reason = excluded.reason, updated_at = excluded.updated_at
RETURNING ${TEXTS}`;

/** Who Meridian's own changes are by. */
export const OWN_ACTOR = 'meridian';

/**
 * Capture does not fire for apply, so apply logs its records itself: as local changes, which the next tick carries. By row:
 * every change has the whole row. Stamp and id from the same sequences, epoch of the system table's policy.
 */
const LOG = /* sql */ `
WITH at AS MATERIALIZED (
  SELECT meridian.next_stamp() AS stamp,
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wall,
         coalesce((SELECT epoch FROM meridian.enrolled_table WHERE rel = 'meridian.conflict'), 1) AS epoch)
INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
SELECT $2, 'meridian.conflict', x.op, json_build_array(x.id), at.stamp, at.wall, at.epoch, $3, x.patch, x.before
  FROM at, json_to_recordset($1::json) AS x(id text, op "char", patch json, before json)`;

export async function recordConflicts(
  session: Session,
  region: string,
  records: readonly ConflictRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const latest = [...new Map(records.map((r) => [r.id, r])).values()];
  const before = await rowsById(
    session,
    latest.map((r) => r.id),
    'FOR UPDATE',
  );
  const { rows } = await session.query(UPSERT, [JSON.stringify(latest.map(stored))], 'upsert_conflicts');
  const changes = rows.map((row) => {
    const old = before.get(row[0]!);
    const patch = textsOf(row);
    return old === undefined
      ? { id: row[0], op: 'i', patch, before: null }
      : { id: row[0], op: 'u', patch: withoutKey(patch), before: withoutKey(textsOf(old)) };
  });
  await session.query(LOG, [JSON.stringify(changes), region, OWN_ACTOR], 'log_conflicts');
}

export async function conflictRecords(
  session: Session,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ConflictRecord>> {
  if (ids.length === 0) return new Map();
  const rows = await rowsById(session, ids, '');
  return new Map([...rows].map(([id, row]) => [id, recordOf(textsOf(row))]));
}

async function rowsById(
  session: Session,
  ids: readonly string[],
  lock: 'FOR UPDATE' | '',
): Promise<ReadonlyMap<string, Row>> {
  const { rows } = await session.query(
    `SELECT ${TEXTS} FROM meridian.conflict c WHERE id = ANY ($1) ORDER BY id ${lock}`,
    [ids],
  );
  return new Map(rows.map((row) => [row[0]!, row]));
}

type Texts = Readonly<Record<string, string | null>>;

const textsOf = (row: Row): Texts => Object.fromEntries(COLUMNS.map((c, i) => [c, row[i] ?? null]));

const withoutKey = ({ id: _id, ...rest }: Texts): Texts => rest;

/** A column of type json that says nothing is SQL's NULL, not JSON's. */
const stored = (r: ConflictRecord): object => ({
  ...{ id: r.id, rel: r.table, pk: r.key, kind: r.kind, region: r.region, status: r.status, loser: r.loser },
  ...{ versions: r.versions, base: r.base, overwritten: r.overwritten, result: r.result, reason: r.reason },
});

const parsed = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text));

const recordOf = (t: Texts): ConflictRecord =>
  ({
    ...{ id: t['id'], table: t['rel'] as TableName, key: t['pk'] as RowKey, kind: t['kind'], region: t['region'] },
    ...{ status: t['status'], loser: parsed(t['loser']), versions: parsed(t['versions']), base: parsed(t['base']) },
    ...{ overwritten: parsed(t['overwritten']), result: parsed(t['result']) as JsonText | null, reason: t['reason'] },
  }) as ConflictRecord;
