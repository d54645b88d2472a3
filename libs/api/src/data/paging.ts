import type { RowQuery } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';

/** `Range: 10-19` narrows what limit and offset say, as PostgREST has it; another unit (bytes) is not ours to heed. */
export function paged(
  query: RowQuery,
  range: string | undefined,
  rangeUnit: string | undefined,
  maxRows: number,
): RowQuery & { readonly limit: number } {
  const asked =
    rangeUnit === undefined || rangeUnit === 'items' ? /^(?:items=)?(\d{1,9})-(\d{1,9})?$/.exec(range ?? '') : null;
  if (asked === null) return { ...query, limit: Math.min(query.limit ?? maxRows, maxRows) };
  const from = Number(asked[1]);
  const wanted = asked[2] === undefined ? maxRows : Number(asked[2]) - from + 1;
  if (wanted < 1) throw new ApiProblem('range_not_satisfiable', `Range: ${range} ends before it begins`);
  return { ...query, offset: query.offset + from, limit: Math.min(wanted, query.limit ?? maxRows, maxRows) };
}

/** Status and Content-Range of a page: `0-24/3573`, or `*` for what is empty or was not counted. */
export function pageHeaders(
  offset: number,
  rows: number,
  total: number | null,
): { readonly status: number; readonly contentRange: string } {
  const range = rows === 0 ? '*' : `${offset}-${offset + rows - 1}`;
  if (total === null) return { status: 200, contentRange: `${range}/*` };
  if (offset > 0 && offset >= total)
    throw new ApiProblem(
      'range_not_satisfiable',
      `the first row asked for is number ${offset}, and there are ${total}: take a smaller offset`,
    );
  return { status: rows < total ? 206 : 200, contentRange: `${range}/${total}` };
}
