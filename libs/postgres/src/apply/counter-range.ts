import type { CatalogColumn } from '../catalog/catalog-table.js';
import { counterBounds } from './counter-bounds.js';
import { ident } from '../catalog/quoting.js';

/**
 * `exact`: a sum beyond the column's type is an error. `clamp`: the type's greatest or least value is shown, and the excess is
 * kept; the way on after such an error, and for tables with an excess, which the exact way does not look at.
 */
export type CounterRange = 'exact' | 'clamp';

/** A counter's type in the record: a value beyond its type can only be read as numeric. */
export const counterField = (column: CatalogColumn, range: CounterRange): string =>
  range === 'exact' ? column.type : 'numeric';

/** As much of a sum as the column can show. */
export function shownOf(column: CatalogColumn, sum: string): string {
  const bounds = counterBounds(column);
  if (bounds === null) return sum;
  const [least, greatest] = bounds;
  return `greatest(${least}::numeric, least(${greatest}::numeric, ${sum}))::${column.type}`;
}

/** The value that a record `x` sets a counter to. */
export function counterValue(column: CatalogColumn, range: CounterRange): string {
  const value = `x.${ident(column.name)}`;
  return range === 'exact' ? value : shownOf(column, value);
}
