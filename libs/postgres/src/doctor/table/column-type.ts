import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { Referring } from './table-facts.js';

/** Foreign keys by which other tables hold this column's values. */
export const referringTo = ({ facts }: Examined, column: string): readonly Referring[] =>
  facts.referring.filter((r) => r.to === column);

/** May it be given another type by statements that can be written down: together with the columns that refer to it? */
export function isRetypable(examined: Examined, column: string): boolean {
  const { table } = examined;
  const plain = table.kind === 'r' && !table.foreignKeys.some((key) => key.columns.includes(column));
  return plain && referringTo(examined, column).every((r) => !r.entangled && r.columns === 1);
}

export const retyped = (table: string, column: string, type: string, using = ''): string =>
  `ALTER TABLE ${table} ALTER COLUMN ${ident(column)} TYPE ${type}${using === '' ? '' : ` USING ${using}`}`;
