import type { CatalogColumn } from '../catalog/catalog-table.js';
import { ident } from '../catalog/quoting.js';

/**
 * `exact`: a sum beyond the column's type is an error. `clamp`: the type's greatest or least value is shown instead; the way
 * on after such an error, for one counter that runs over must not stop the stream for all.
 */
export type CounterRange = 'exact' | 'clamp';

const BOUNDS: Readonly<Record<string, readonly [string, string]>> = {
  int2: ['-32768', '32767'],
  int4: ['-2147483648', '2147483647'],
  int8: ['-9223372036854775808', '9223372036854775807'],
};

/** A counter's type in the record: a value beyond its type can only be read as numeric. */
export const counterField = (column: CatalogColumn, range: CounterRange): string =>
  range === 'exact' ? column.type : 'numeric';

export function counterSet(column: CatalogColumn, add: boolean, range: CounterRange): string {
  const name = ident(column.name);
  const value = add ? `t.${name} + x.${name}` : `x.${name}`;
  if (range === 'exact') return value;
  const [least, greatest] = BOUNDS[column.base.name] ?? numericBounds(column.modifier);
  return `greatest(${least}::numeric, least(${greatest}::numeric, ${value}))::${column.type}`;
}

/** numeric(p,s) holds p − s digits before the point; its modifier is ((p << 16) | s) + 4. */
function numericBounds(modifier: number): readonly [string, string] {
  if (modifier === -1) return [`'-Infinity'`, `'Infinity'`];
  const digits = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const whole = '9'.repeat(Math.max(digits - scale, 0)) || '0';
  const greatest = scale > 0 ? `${whole}.${'9'.repeat(scale)}` : whole;
  return [`-${greatest}`, greatest];
}
