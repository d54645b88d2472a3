import type { Conflict } from '@meridian/contract';
import type { SecretColumns, TableName } from '@meridian/core';

const REDACTED = '[redacted]';

type Values = Readonly<Record<string, string | null>>;
type Secret = (column: string) => boolean;

/**
 * A record without the values of secret columns. Of a table that is not enrolled any more nobody says which they are, and a
 * record of a decision holds values of a user's row: there, all are.
 */
export function redacted(conflict: Conflict, tables: ReadonlyMap<TableName, SecretColumns>): Conflict {
  const table = tables.get(conflict.table as TableName);
  const all = table === undefined || conflict.table === 'meridian.decision';
  if (!all && table.columns.length === 0) return conflict;
  const secret: Secret = (column) => all || table.columns.includes(column);
  const version = (v: Conflict['loser']) => ({ ...v, values: hidden(v.values, secret) });
  const { decision } = conflict;
  return {
    ...conflict,
    key: conflict.key.map((part, i) => (isSecretKey(table, i) ? REDACTED : part)),
    loser: version(conflict.loser),
    versions: conflict.versions.map(version),
    base: hiddenOrNull(conflict.base, secret),
    overwritten: conflict.overwritten.map((o) => ({
      ...o,
      lost: hidden(o.lost, secret),
      result: hiddenOrNull(o.result, secret),
    })),
    result: hiddenOrNull(conflict.result, secret),
    // It may name the key of a row.
    reason: table === undefined || table.keyColumns.some((_, i) => isSecretKey(table, i)) ? REDACTED : conflict.reason,
    decision: decision === null ? null : { ...decision, written: writtenWithout(decision.written, secret) },
  };
}

const isSecretKey = (table: SecretColumns | undefined, part: number): boolean =>
  table === undefined || (table.columns.length > 0 && table.columns.includes(table.keyColumns[part] ?? ''));

const hidden = (values: Values, secret: Secret): Record<string, string | null> =>
  Object.fromEntries(Object.entries(values).map(([c, v]) => [c, v !== null && secret(c) ? REDACTED : v]));

const hiddenOrNull = (values: Values | null, secret: Secret) => (values === null ? null : hidden(values, secret));

function writtenWithout(written: NonNullable<Conflict['decision']>['written'], secret: Secret) {
  if (written === null) return null;
  return { before: hiddenOrNull(written.before, secret), after: hiddenOrNull(written.after, secret) };
}
