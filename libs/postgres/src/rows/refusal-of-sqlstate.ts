import { Refused, type RefusalCode, type RefusalMembers } from '@meridian/core';
import { DatabaseError } from 'pg';

/** What PostgreSQL says → what REST answers, and the cure. Looked up by the whole SQLSTATE, then by its class. */
const BY_STATE: { readonly [state: string]: readonly [RefusalCode, cure: string] } = {
  '23505': ['unique_violation', 'use another value, or upsert with "Prefer: resolution=merge-duplicates"'],
  '23503': ['foreign_key_violation', 'write the row it refers to first, or delete what refers to it'],
  '23P01': ['exclusion_violation', 'use a value that does not overlap'],
  '23514': ['check_violation', 'send a value that the constraint allows'],
  '23502': ['not_null_violation', 'send a value for the column'],
  '23': ['constraint_violation', 'send a value that the constraint allows'],
  '22': ['invalid_value', "send the value as the column's type writes it"],
  '42703': ['unknown_column', 'name a column that the table has'],
  '42P10': ['conflict_target_unknown', 'name the columns of a unique key in on_conflict'],
  '42883': ['operator_not_for_type', "choose an operator that the column's type has"],
  '42804': ['operator_not_for_type', "choose an operator that the column's type has"],
  '42725': ['operator_not_for_type', "choose an operator that the column's type has"],
  '42P18': ['operator_not_for_type', "choose an operator that the column's type has"],
  '42809': ['operator_not_for_type', "choose an operator that the column's type has"],
  '428C9': ['column_not_writable', 'leave the column out: PostgreSQL generates it'],
  '42P01': ['table_not_enrolled', 'the table was dropped or renamed: enrol it anew'],
  '42501': ['permission_denied', "grant the service's role what the message names"],
  '21000': ['invalid_value', 'send each row once: two rows of the request have the same key'],
  '54': ['too_complex', 'send fewer or smaller conditions and values'],
  '57014': ['statement_timeout', 'narrow the filter, or add an index for it'],
  '40001': ['write_contention', 'try again'],
  '40P01': ['write_contention', 'try again'],
  '55P03': ['write_contention', 'try again; another transaction holds the row'],
  '53': ['database_unavailable', 'try again later: PostgreSQL is short of a resource'],
  '57P': ['database_unavailable', 'try again: PostgreSQL is restarting'],
  '08': ['database_unavailable', 'try again: the connection to PostgreSQL was lost'],
  '25006': ['database_unavailable', 'write to another region: this database is read-only just now'],
  P0: ['rejected_by_database', 'a trigger or function of the database refused it'],
  '44': ['check_violation', "send a row that the view's condition allows"],
};

/** Anything a query threw, as what the caller may be told. Unknown failures keep their cause for the log. */
export function refusalOf(error: unknown, table?: string): unknown {
  if (error instanceof Refused) return error;
  if (!(error instanceof DatabaseError) || error.code === undefined) return connectionRefusal(error);
  if (error.constraint === 'meridian_share') return shareRefusal(error);
  const state = error.code;
  const [code, cure] =
    BY_STATE[state] ??
    BY_STATE[state.slice(0, 3)] ??
    BY_STATE[state.slice(0, 2)] ??
    (['database_error', 'see the service log by the traceId'] as const);
  const detail = [error.message, error.detail].filter(Boolean).join('; ');
  return new Refused(code, `${detail} — ${cure}`, membersOf(error, table), { cause: error });
}

/** What capture raises for a bounded counter (migration 12). */
function shareRefusal(error: DatabaseError): Refused {
  const members = JSON.parse(error.detail!) as Pick<RefusalMembers, 'key' | 'shares' | 'short'>;
  const message = [error.message, error.hint].filter(Boolean).join('. ');
  return new Refused('share_exhausted', message, { ...membersOf(error, error.table), ...members }, { cause: error });
}

function membersOf(error: DatabaseError, table: string | undefined): RefusalMembers {
  return {
    ...(table === undefined ? {} : { table }),
    ...(error.column === undefined ? {} : { column: error.column }),
    ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    ...(error.code === undefined ? {} : { sqlState: error.code }),
  };
}

/** pg reports a lost or refused connection as a plain Error. */
const CONNECTION =
  /^(Connection terminated|Client has encountered a connection error|timeout (expired|exceeded) when trying to connect)|^connect E|ECONN|EPIPE/;

function connectionRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !CONNECTION.test(error.message)) return error;
  return new Refused(
    'database_unavailable',
    "this region's PostgreSQL does not answer; try again, or another region",
    {},
    { cause: error },
  );
}

export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof DatabaseError ? error.code : undefined;
