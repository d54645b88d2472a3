import type { ConflictFilter } from '@meridian/core';
import { Parameters, type Statement } from '../rows/sql-builder.js';

export const utcTime = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** As of migration 8's index. */
const DECIDED = `d.strategy NOT IN ('undone', 'reopened')`;

const TRIAGE = /* sql */ `
  LEFT JOIN meridian.triage assignee ON assignee.conflict = c.id AND assignee.aspect = 'assignee'
  LEFT JOIN meridian.triage snoozed ON snoozed.conflict = c.id AND snoozed.aspect = 'snoozed_until'
  LEFT JOIN meridian.triage note ON note.conflict = c.id AND note.aspect = 'note'`;

/** Made once a row (OFFSET 0). The connections pin what these texts depend on, so regions agree on it. */
const VERSION = /* sql */ `
 CROSS JOIN LATERAL (
   SELECT md5(concat_ws(E'\\n', c.*::text, d.*::text, assignee.*::text, snoozed.*::text, note.*::text)) AS version OFFSET 0) AS v`;

const CONFLICT = /* sql */ `json_build_object(
  'id', c.id, 'version', v.version, 'table', c.rel, 'key', c.pk::json, 'kind', c.kind, 'region', c.region,
  'status', CASE WHEN c.status = 'withdrawn' THEN c.status WHEN ${DECIDED} THEN 'resolved' ELSE 'open' END,
  'loser', c.loser, 'versions', c.versions, 'base', c.base, 'overwritten', c.overwritten, 'result', c.result, 'reason', c.reason,
  'decision', CASE WHEN d.conflict IS NOT NULL THEN json_build_object(
    'strategy', d.strategy, 'version', d.version, 'written', d.written, 'by', d.by, 'region', d.region, 'note', d.note, 'at', ${utcTime('d.at')}) END,
  'assignee', assignee.value, 'snoozedUntil', snoozed.value,
  'note', CASE WHEN note.value IS NOT NULL THEN json_build_object(
    'text', note.value, 'by', note.by, 'region', note.region, 'at', ${utcTime('note.at')}) END,
  'createdAt', ${utcTime('c.created_at')}, 'updatedAt', ${utcTime('c.updated_at')})::text`;

const SHOWN = `c.id, v.version, ${CONFLICT} AS conflict`;

/** Of `meridian.conflict c`; a condition may follow. */
export const SHOWN_CONFLICT = /* sql */ `
SELECT ${SHOWN} FROM meridian.conflict c LEFT JOIN meridian.decision d ON d.conflict = c.id ${TRIAGE} ${VERSION}`;

export const GET_SQL = `${SHOWN_CONFLICT} WHERE c.id = $1`;

export function listSql(filter: ConflictFilter, after: readonly [at: string, id: string] | null): Statement {
  const parameters = new Parameters();
  const { from, at, id } = placeOf(filter);
  const [direction, beyond] = filter.oldestFirst === true ? ['ASC', '>'] : ['DESC', '<'];
  const place =
    after === null
      ? ''
      : ` AND (${at}, ${id}) ${beyond} (${parameters.add(after[0])}::timestamptz, ${parameters.add(after[1])})`;
  const text = /* sql */ `
SELECT ${SHOWN}, c.created_at::text AS at
  FROM ${from} ${TRIAGE} ${VERSION}
 WHERE ${whereSql(filter, parameters)}${place}
 ORDER BY ${at} ${direction}, ${id} ${direction}
 LIMIT ${filter.limit + 1}`;
  return { text, values: parameters.values };
}

export function countSql(filter: Omit<ConflictFilter, 'limit' | 'cursor'>): Statement {
  const parameters = new Parameters();
  const where = whereSql(filter, parameters);
  return {
    text: `SELECT count(*)::int AS count FROM ${placeOf(filter).from} WHERE ${where}`,
    values: parameters.values,
  };
}

/** Where the pages of a status are found: an index has them in the list's order, however few they are among a million. */
const FROM: { readonly [status: string]: { readonly from: string; readonly at: string; readonly id: string } } = {
  all: {
    from: 'meridian.conflict c LEFT JOIN meridian.decision d ON d.conflict = c.id',
    ...{ at: 'c.created_at', id: 'c.id' },
  },
  open: {
    from: 'meridian.open_conflict o JOIN meridian.conflict c ON c.id = o.conflict LEFT JOIN meridian.decision d ON d.conflict = c.id',
    ...{ at: 'o.recorded_at', id: 'o.conflict' },
  },
  resolved: {
    from: 'meridian.decision d JOIN meridian.conflict c ON c.id = d.conflict',
    ...{ at: 'd.recorded_at', id: 'd.conflict' },
  },
};
const placeOf = ({ status }: Pick<ConflictFilter, 'status'>) => FROM[status ?? 'all'] ?? FROM['all']!;

/**
 * A subquery, of which the planner expects that half of the rows pass: from the statistics of a join it would expect none, where
 * most are decided, and sort all that are open instead of reading a page of them.
 */
const STANDS = `coalesce((SELECT x.strategy NOT IN ('undone', 'reopened') FROM meridian.decision x WHERE x.conflict = c.id), false)`;

const BY_STATUS: { readonly [status: string]: string } = {
  open: `c.status <> 'withdrawn' AND NOT ${STANDS}`,
  resolved: `c.status <> 'withdrawn' AND ${DECIDED}`,
  withdrawn: `c.status = 'withdrawn'`,
};

function whereSql(filter: Omit<ConflictFilter, 'limit' | 'cursor'>, parameters: Parameters): string {
  const { table, kind, region, status, since } = filter;
  const conditions = [
    table &&
      `c.rel = quote_ident(${parameters.add(table.schema)}) || '.' || quote_ident(${parameters.add(table.name)})`,
    kind && `c.kind = ${parameters.add(kind)}`,
    region && `c.region = ${parameters.add(region)}`,
    since && `c.created_at >= ${parameters.add(since)}::timestamptz`,
    status && BY_STATUS[status],
  ].filter((c) => c !== undefined);
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}
