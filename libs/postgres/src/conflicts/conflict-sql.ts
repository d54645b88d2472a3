import type { ConflictFilter } from '@meridian/core';
import { Parameters, type Statement } from '../rows/sql-builder.js';

const time = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** As of migration 8's index. */
const DECIDED = `d.strategy NOT IN ('undone', 'reopened')`;

const TRIAGE = /* sql */ `
  LEFT JOIN meridian.triage assignee ON assignee.conflict = c.id AND assignee.aspect = 'assignee'
  LEFT JOIN meridian.triage snoozed ON snoozed.conflict = c.id AND snoozed.aspect = 'snoozed_until'
  LEFT JOIN meridian.triage note ON note.conflict = c.id AND note.aspect = 'note'`;

/** The connections pin what these texts depend on, so regions agree on it. */
const VERSION = `md5(concat_ws(E'\\n', c.*::text, d.*::text, assignee.*::text, snoozed.*::text, note.*::text))`;

const CONFLICT = /* sql */ `json_build_object(
  'id', c.id, 'version', ${VERSION}, 'table', c.rel, 'key', c.pk::json, 'kind', c.kind, 'region', c.region,
  'status', CASE WHEN c.status = 'withdrawn' THEN c.status WHEN ${DECIDED} THEN 'resolved' ELSE 'open' END,
  'loser', c.loser, 'versions', c.versions, 'base', c.base, 'overwritten', c.overwritten, 'result', c.result, 'reason', c.reason,
  'decision', CASE WHEN d.conflict IS NOT NULL THEN json_build_object(
    'strategy', d.strategy, 'version', d.version, 'written', d.written, 'by', d.by, 'region', d.region, 'note', d.note, 'at', ${time('d.at')}) END,
  'assignee', assignee.value, 'snoozedUntil', snoozed.value,
  'note', CASE WHEN note.value IS NOT NULL THEN json_build_object(
    'text', note.value, 'by', note.by, 'region', note.region, 'at', ${time('note.at')}) END,
  'createdAt', ${time('c.created_at')}, 'updatedAt', ${time('c.updated_at')})::text`;

const SHOWN = `c.id, ${VERSION} AS version, ${CONFLICT} AS conflict`;

export const GET_SQL = /* sql */ `
SELECT ${SHOWN} FROM meridian.conflict c LEFT JOIN meridian.decision d ON d.conflict = c.id ${TRIAGE} WHERE c.id = $1`;

export function listSql(filter: ConflictFilter, after: readonly [at: string, id: string] | null): Statement {
  const parameters = new Parameters();
  const { at, id } = placeOf(filter);
  const [direction, beyond] = filter.oldestFirst === true ? ['ASC', '>'] : ['DESC', '<'];
  const place =
    after === null
      ? ''
      : ` AND (${at}, ${id}) ${beyond} (${parameters.add(after[0])}::timestamptz, ${parameters.add(after[1])})`;
  const text = /* sql */ `
SELECT ${SHOWN}, c.created_at::text AS at
  FROM ${fromSql(filter)} ${TRIAGE}
 WHERE ${whereSql(filter, parameters)}${place}
 ORDER BY ${at} ${direction}, ${id} ${direction}
 LIMIT ${filter.limit + 1}`;
  return { text, values: parameters.values };
}

export function countSql(filter: Omit<ConflictFilter, 'limit' | 'cursor'>): Statement {
  const parameters = new Parameters();
  const where = whereSql(filter, parameters);
  return { text: `SELECT count(*)::int AS count FROM ${fromSql(filter)} WHERE ${where}`, values: parameters.values };
}

/** Resolved ones are found from their decisions, so that a page of few among a million is read from an index. */
const placeOf = ({ status }: Pick<ConflictFilter, 'status'>) =>
  status === 'resolved' ? { at: 'd.recorded_at', id: 'd.conflict' } : { at: 'c.created_at', id: 'c.id' };

const fromSql = ({ status }: Pick<ConflictFilter, 'status'>): string =>
  status === 'resolved'
    ? 'meridian.decision d JOIN meridian.conflict c ON c.id = d.conflict'
    : 'meridian.conflict c LEFT JOIN meridian.decision d ON d.conflict = c.id';

/** Both indexes are in one order: open ones are those of the one that the other lacks. */
const UNDECIDED = /* sql */ `NOT EXISTS (
  SELECT FROM meridian.decision x
   WHERE x.conflict = c.id AND x.recorded_at = c.created_at AND x.strategy NOT IN ('undone', 'reopened'))`;

const BY_STATUS: { readonly [status: string]: string } = {
  open: `c.status <> 'withdrawn' AND ${UNDECIDED}`,
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
