import type { CatalogColumn } from '../catalog/catalog-table.js';

const INTEGERS: Readonly<Record<string, readonly [string, string]>> = {
  int2: ['-32768', '32767'],
  int4: ['-2147483648', '2147483647'],
  int8: ['-9223372036854775808', '9223372036854775807'],
};

/** The least and the greatest value that a counter's column can show; null: a numeric without a precision shows any sum. */
export function counterBounds(column: CatalogColumn): readonly [string, string] | null {
  return INTEGERS[column.base.name] ?? (column.modifier === -1 ? null : numericBounds(column.modifier));
}

/** numeric(p,s): p digits, s of them behind the point, which may lie outside of them; its modifier is ((p << 16) | s) + 4. */
function numericBounds(modifier: number): readonly [string, string] {
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const digits = '9'.repeat(precision) + '0'.repeat(Math.max(-scale, 0));
  const padded = digits.padStart(scale + 1, '0');
  const greatest = scale > 0 ? `${padded.slice(0, -scale)}.${padded.slice(-scale)}` : digits;
  return [`-${greatest}`, greatest];
}
