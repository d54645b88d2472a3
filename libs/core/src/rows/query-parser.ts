import { parseFilter, parseLogic } from './filter-parser.js';
import { clip, splitOutsideQuotes, unquoted } from './name-parser.js';
import type { Condition, Order, RowQuery, Selected } from './query.js';
import { Refused } from './refusal.js';

/** A query string's parameters in their order; a name may come twice. */
export type Parameters = Iterable<readonly [name: string, value: string]>;

/** The grammar's own words. A column called so is filtered in quotes (`"order"=eq.1`). */
export type WritePlan = { readonly columns: readonly string[] | null; readonly onConflict: readonly string[] | null };

const MAX_CONDITIONS = 200;

/** `?qty=gte.5&select=id,qty&order=id.desc&limit=50`. Throws nothing but {@link Refused}. */
export function parseQuery(parameters: Parameters): RowQuery & WritePlan {
  const where: Condition[] = [];
  let select: readonly Selected[] | null = null;
  let order: readonly Order[] = [];
  let limit: number | null = null;
  let offset = 0;
  let columns: readonly string[] | null = null;
  let onConflict: readonly string[] | null = null;
  for (const [name, value] of parameters) {
    if (value.includes('\0') || name.includes('\0'))
      throw new Refused(
        'bad_filter',
        'a filter holds the character U+0000, which PostgreSQL cannot store: leave it out',
      );
    if (name === 'select') select = parseSelect(value);
    else if (name === 'order') order = parseOrder(value);
    else if (name === 'limit') limit = parseCount(name, value);
    else if (name === 'offset') offset = parseCount(name, value);
    else if (name === 'columns') columns = parseNames(value);
    else if (name === 'on_conflict') onConflict = parseNames(value);
    else if (/^(not\.)?(and|or)$/.test(name)) where.push(parseLogic(name, value));
    else where.push(parseFilter(name, value));
    if (where.length > MAX_CONDITIONS)
      throw new Refused('bad_filter', `more than ${MAX_CONDITIONS} filters in one request`);
  }
  return { where, select, order, limit, offset, columns, onConflict };
}

/** `*`, `id,qty`, `n:name`. */
function parseSelect(text: string): readonly Selected[] | null {
  if (text === '' || text === '*') return null;
  return splitOutsideQuotes(text, ',').map((item) => {
    const parts = splitOutsideQuotes(item, ':');
    const column = unquoted(parts[parts.length - 1]!.trim());
    const as = unquoted(parts[0]!.trim());
    if (parts.length > 2 || column === '' || as === '' || /[()>]/.test(column))
      throw new Refused(
        'bad_select',
        `"${clip(item)}" cannot be selected: name columns (select=id,qty), with an alias if need be (select=n:name); casts, JSON paths and embedded tables are not offered`,
      );
    return { column, as };
  });
}

const ORDER = /^(.*?)(\.(asc|desc))?(\.nulls(first|last))?$/s;

/** `id`, `qty.desc.nullslast,id`. */
function parseOrder(text: string): readonly Order[] {
  return splitOutsideQuotes(text, ',').map((item) => {
    const [, column = '', , direction, , nulls] = ORDER.exec(item)!;
    const isQuoted = column.startsWith('"');
    if (column === '' || (!isQuoted && column.includes('.')))
      throw new Refused('bad_order', `"${clip(item)}" is no order: write order=qty.desc.nullslast,id`);
    return {
      column: unquoted(column),
      descending: direction === 'desc',
      nulls: (nulls ?? null) as 'first' | 'last' | null,
    };
  });
}

function parseCount(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new Refused('bad_limit', `${name}=${clip(text)}: a whole number of at most nine digits is expected`);
  return Number(text);
}

const parseNames = (text: string): readonly string[] =>
  splitOutsideQuotes(text, ',').map((name) => unquoted(name.trim()));
