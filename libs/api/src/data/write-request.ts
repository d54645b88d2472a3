import { parseQuery, type Returning, Refused, type RowTable, type RowWrite, type Target } from '@meridian/core';
import { parseRowBody, singleRow } from '../body/row-body.js';
import { ApiProblem } from '../http/api-problem.js';
import { type DataRequest, refusePrecondition } from './data-request.js';
import { parsePrefer } from './prefer.js';
import { choosesNone, pathKeyAgrees } from './path-key.js';

type Query = ReturnType<typeof parseQuery>;

/** POST: insert, or upsert. */
export function insertOf(table: RowTable, request: DataRequest): RowWrite {
  refusePrecondition(request.etag, 'If-Match', 'with a write of one row by its key');
  const query = choosesNone(parseQuery(request.parameters));
  const body = parseRowBody(request.body, query.columns);
  const { resolution } = parsePrefer(request.prefer);
  return {
    kind: 'insert',
    table,
    columns: body.columns,
    values: body.values,
    many: body.many,
    onConflict: resolution === null ? null : { resolution, columns: query.onConflict },
    returning: returningOf(request, query),
  };
}

/** PATCH: by filter, or the row with this key. */
export function updateOf(table: RowTable, key: readonly string[] | null, request: DataRequest): RowWrite {
  const query = parseQuery(request.parameters);
  const body = singleRow(parseRowBody(request.body, query.columns));
  const { columns } = body;
  if (columns.length === 0) throw new ApiProblem('bad_body', 'the body names no column to change');
  return {
    kind: 'update',
    table,
    target: targetOf(key, query, request),
    columns,
    values: body.values,
    returning: returningOf(request, query),
  };
}

/** PUT: the whole row. */
export function replaceOf(table: RowTable, key: readonly string[], request: DataRequest): RowWrite {
  const query = choosesNone(parseQuery(request.parameters));
  const body = singleRow(parseRowBody(request.body, query.columns));
  pathKeyAgrees(table, key, body);
  return {
    kind: 'replace',
    table,
    key,
    etag: request.etag,
    columns: body.columns,
    values: body.values,
    returning: returningOf(request, query),
  };
}

export function deleteOf(table: RowTable, key: readonly string[] | null, request: DataRequest): RowWrite {
  const query = parseQuery(request.parameters);
  return { kind: 'delete', table, target: targetOf(key, query, request), returning: returningOf(request, query) };
}

function targetOf(key: readonly string[] | null, query: Query, request: DataRequest): Target {
  if (key !== null) {
    choosesNone(query);
    return { kind: 'key', key, etag: request.etag };
  }
  refusePrecondition(request.etag, 'If-Match', 'with a write of one row by its key');
  // PostgREST would write every row. A forgotten filter is the likelier reason.
  if (query.where.length === 0)
    throw new Refused(
      'filter_required',
      'name the rows by a filter (?id=eq.5); for all rows say so, by a column that is never null: ?id=not.is.null',
    );
  if (query.limit !== null || query.offset !== 0)
    throw new ApiProblem('bad_limit', 'limit and offset do not go with writes: narrow the filter');
  return { kind: 'where', where: query.where };
}

const returningOf = (request: DataRequest, query: Query): Returning =>
  parsePrefer(request.prefer).representation ? { kind: 'rows', select: query.select } : { kind: 'nothing' };
