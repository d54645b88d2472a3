import { HEADERS, type ProblemCode, Row, RowOrRows, Rows } from '@meridian/contract';
import { Documented, type RouteDocument } from '../http/documented.js';

const TABLE = { table: 'items, schema.items or "My Schema"."My Table", percent-encoded' };
export const ROW = {
  ...TABLE,
  key: 'The primary key; of several columns comma-separated, values with commas in double quotes',
};

const FILTERS = {
  '{column}': 'qty=gte.5 and so on: eq, neq, gt, gte, lt, lte, like, ilike, in, is, cs, cd, ov, each also after not.',
  and: '(a.eq.1,b.gt.2), nested at will; also not.and',
  or: '(a.is.null,b.not.in.(1,2)); also not.or',
};
const SELECT = { select: 'id,qty or alias:column; default: every column' };

export const SESSION = {
  [HEADERS.session]: 'The token of an earlier answer: this one will not be older',
  [HEADERS.consistency]: 'eventual, session (default), or bounded; max-staleness=<seconds>',
};
export const WRITE = {
  ...SESSION,
  [HEADERS.idempotencyKey]:
    'A retry with the same key and body is answered as the first was, in any region, and writes nothing',
  [HEADERS.actor]:
    'Who writes; kept with the change, and with the User-Agent as its application, and shown in conflicts',
};
const MATCH = { 'If-Match': 'An ETag: write only if the row is still the one that was read' };
const PREFER = { Prefer: 'return=representation or return=minimal (default)' };

export const ANSWER = {
  [HEADERS.region]: 'The region that answered',
  [HEADERS.session]: 'What this client has seen; send it back to see no less',
};
const RANGE = { ...ANSWER, 'Content-Range': '0-24/3573; * for what was not counted' };
const TAG = { ...ANSWER, ETag: 'Digest of the row, the same in every region' };

const READ_TAG = {
  ...TAG,
  [HEADERS.siblings]: 'Columns that other values stand beside (GET …/siblings), percent-encoded; absent: none',
};

const SESSION_PROBLEMS: readonly ProblemCode[] = [
  'bad_token',
  'bad_consistency',
  'bad_header',
  'consistency_not_available',
  'session_not_reached',
  'staleness_bound_not_met',
];
export const READ_PROBLEMS: readonly ProblemCode[] = [
  ...SESSION_PROBLEMS,
  'bad_table_name',
  'bad_filter',
  'bad_select',
  'unknown_column',
  'operator_not_for_type',
  'too_complex',
  'table_not_enrolled',
  'invalid_value',
  'statement_timeout',
  'database_unavailable',
  'permission_denied',
  'rate_limited',
  'overloaded',
];
export const WRITE_PROBLEMS: readonly ProblemCode[] = [
  ...READ_PROBLEMS,
  'bad_json',
  'bad_body',
  'column_not_writable',
  'rejected_by_database',
  'unique_violation',
  'foreign_key_violation',
  'exclusion_violation',
  'write_contention',
  'body_too_large',
  'unsupported_media_type',
  'request_timeout',
  'check_violation',
  'share_exhausted',
  'not_null_violation',
  'constraint_violation',
  'idempotency_key_reused',
];
const DELETE_PROBLEMS: readonly ProblemCode[] = [
  ...READ_PROBLEMS,
  'foreign_key_violation',
  'rejected_by_database',
  'write_contention',
  'idempotency_key_reused',
];

const data = (route: Omit<RouteDocument, 'tag'>): MethodDecorator => Documented({ tag: 'Rows', ...route });

export const DocumentRead = () =>
  data({
    summary: 'Rows by filter',
    params: TABLE,
    freeQuery: {
      ...FILTERS,
      ...SELECT,
      order: 'qty.desc.nullslast,id',
      limit: 'At most so many rows',
      offset: 'After so many rows',
    },
    headers: { ...SESSION, Prefer: 'count=exact', Range: '0-24, as limit and offset' },
    answers: {
      200: { description: 'The rows', schema: Rows, headers: RANGE },
      206: { description: 'Some of the counted rows', schema: Rows, headers: RANGE },
    },
    problems: [...READ_PROBLEMS, 'bad_order', 'bad_limit', 'range_not_satisfiable'],
  });

export const DocumentInsert = () =>
  data({
    summary: 'Insert or upsert rows',
    params: TABLE,
    freeQuery: {
      columns: 'Columns to take from the rows',
      on_conflict: 'Columns of a unique key, for an upsert; else the primary key',
      ...SELECT,
    },
    headers: { ...WRITE, Prefer: `${PREFER.Prefer}; resolution=merge-duplicates or resolution=ignore-duplicates` },
    body: RowOrRows,
    answers: { 201: { description: 'Done; the rows when asked for', schema: Rows, headers: ANSWER } },
    problems: [...WRITE_PROBLEMS, 'conflict_target_unknown'],
  });

export const DocumentUpdate = () =>
  data({
    summary: 'Change the rows that a filter names',
    params: TABLE,
    freeQuery: { ...FILTERS, ...SELECT, columns: 'Columns to take from the body' },
    headers: { ...WRITE, ...PREFER },
    body: Row,
    answers: {
      200: { description: 'The changed rows, when asked for', schema: Rows, headers: RANGE },
      204: { description: 'Done', headers: RANGE },
    },
    problems: [...WRITE_PROBLEMS, 'filter_required', 'bad_limit'],
  });

export const DocumentDelete = () =>
  data({
    summary: 'Delete the rows that a filter names',
    params: TABLE,
    freeQuery: { ...FILTERS, ...SELECT },
    headers: { ...WRITE, ...PREFER },
    answers: {
      200: { description: 'The deleted rows, when asked for', schema: Rows, headers: RANGE },
      204: { description: 'Done', headers: RANGE },
    },
    problems: [...DELETE_PROBLEMS, 'filter_required', 'bad_limit'],
  });

export const DocumentRow = () =>
  data({
    summary: 'One row',
    params: ROW,
    freeQuery: SELECT,
    headers: { ...SESSION, 'If-None-Match': 'An ETag: 304 when the row is still the same' },
    answers: {
      200: { description: 'The row', schema: Row, headers: READ_TAG },
      304: { description: 'The row is still the one with that ETag', headers: READ_TAG },
    },
    problems: [...READ_PROBLEMS, 'bad_key', 'row_not_found'],
  });

export const DocumentRowPut = () =>
  data({
    summary: 'Put a whole row',
    description:
      'Columns that the body does not name take their defaults. Without If-Match the row is inserted when it is not there.',
    params: ROW,
    freeQuery: SELECT,
    headers: { ...WRITE, ...PREFER, ...MATCH },
    body: Row,
    answers: {
      200: { description: 'The row, when asked for', schema: Row, headers: TAG },
      201: { description: 'It was not there', schema: Row, headers: TAG },
      204: { description: 'Done', headers: ANSWER },
    },
    problems: [...WRITE_PROBLEMS, 'bad_key', 'precondition_failed'],
  });

export const DocumentRowPatch = () =>
  data({
    summary: 'Change one row',
    params: ROW,
    freeQuery: SELECT,
    headers: { ...WRITE, ...PREFER, ...MATCH },
    body: Row,
    answers: {
      200: { description: 'The row, when asked for', schema: Row, headers: TAG },
      204: { description: 'Done', headers: ANSWER },
    },
    problems: [...WRITE_PROBLEMS, 'bad_key', 'row_not_found', 'precondition_failed'],
  });

export const DocumentRowDelete = () =>
  data({
    summary: 'Delete one row',
    params: ROW,
    freeQuery: SELECT,
    headers: { ...WRITE, ...PREFER, ...MATCH },
    answers: {
      200: { description: 'The deleted row, when asked for', schema: Row, headers: ANSWER },
      204: { description: 'Done', headers: ANSWER },
    },
    problems: [...DELETE_PROBLEMS, 'bad_key', 'row_not_found', 'precondition_failed'],
  });
