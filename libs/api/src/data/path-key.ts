import type { RowQuery, RowTable } from '@meridian/core';
import type { RowBody } from '../body/row-body.js';
import { ApiProblem } from '../http/api-problem.js';

/** What would choose among rows is not passed over where the path, or the body, says which row it is. */
export function choosesNone<Query extends RowQuery>(query: Query): Query {
  const { where, order, limit, offset } = query;
  if (where.length > 0 || order.length > 0 || limit !== null || offset !== 0)
    throw new ApiProblem(
      'bad_filter',
      'the path or the body says which row it is: leave out filters, order, limit and offset, or name the rows by a filter under /v1/data/{table}',
    );
  return query;
}

/** A PUT's row goes where its path says: key columns in the body must say the same, as text. */
export function pathKeyAgrees(table: RowTable, key: readonly string[], body: RowBody): void {
  const named = table.keyColumns.filter((c) => body.columns.includes(c));
  if (named.length === 0) return;
  // For the comparison only; the values that are written come from the path and from the text.
  const row = JSON.parse(body.values, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? context.source : value,
  ) as { readonly [column: string]: unknown };
  for (const column of named)
    if (String(row[column]) !== key[table.keyColumns.indexOf(column)])
      throw new ApiProblem(
        'bad_body',
        `the body's "${column}" differs from the path's key: leave it out, or send the same`,
        { column },
      );
}
