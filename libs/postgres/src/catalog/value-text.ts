import type { CatalogColumn } from './catalog-table.js';
import { ident } from './quoting.js';

/**
 * A value as its type's own text output, which its input function turns into the identical value again. `::text` is that
 * for every type but bpchar, whose cast drops trailing blanks that a column without a length keeps (PostgreSQL 16+).
 */
export function textOf(column: CatalogColumn, row: string): string {
  const value = `${row}.${ident(column.name)}`;
  if (isBuiltIn(column, 'text') || isBuiltIn(column, 'varchar')) return column.deterministic ? value : `${value}::text`;
  if (isBuiltIn(column, 'bpchar')) return `textin(bpcharout(${value}))`;
  return `${value}::text`;
}

/** A key's text: 1.0 and 1.00 are one numeric key, so its trailing zeros are cut. */
export const keyTextOf = (column: CatalogColumn, row: string): string =>
  isBuiltIn(column, 'numeric') ? `trim_scale(${row}.${ident(column.name)})::text` : textOf(column, row);

/**
 * Do the column's old and new value differ? `IS DISTINCT FROM` where equal values have equal texts; else the values' bytes
 * (`*<>`): 1.1 and 1.10, 0.0 and -0.0, two spellings of one json are different values to a replica.
 */
export const differs = (column: CatalogColumn): string => {
  const name = ident(column.name);
  return comparesExactly(column)
    ? `o.${name} IS DISTINCT FROM n.${name}`
    : `ROW(o.${name})::record *<> ROW(n.${name})::record`;
};

export const isBuiltIn = (column: CatalogColumn, type: string): boolean =>
  column.base.schema === 'pg_catalog' && column.base.name === type;

/** Types whose `=` holds between identical values only. */
const EXACT = new Set(
  (
    'bool int2 int4 int8 oid text varchar name char uuid date timestamp timestamptz time timetz bytea ' +
    'inet cidr macaddr macaddr8 bit varbit'
  ).split(' '),
);
const comparesExactly = (column: CatalogColumn): boolean =>
  column.deterministic &&
  (column.base.kind === 'e' ||
    (column.base.schema === 'pg_catalog' && EXACT.has(column.base.name)) ||
    (isBuiltIn(column, 'bpchar') && column.modifier !== -1));

/** Equal values have equal texts, once a numeric key's trailing zeros are cut: what a key has to be. */
export const canBeKey = (column: CatalogColumn): boolean => comparesExactly(column) || isBuiltIn(column, 'numeric');

/** As part of a secondary unique key the text stays as it is, so a numeric's scale has to be fixed. */
export const canBeClaimed = (column: CatalogColumn): boolean =>
  comparesExactly(column) || (isBuiltIn(column, 'numeric') && column.modifier !== -1);

/**
 * Types whose text output is the same as `::text`, and never holds what JSON has to escape: concat may put it between quotes
 * itself, which saves a single-row statement setting up four functions a column.
 */
const PLAIN = new Set(
  'int2 int4 int8 oid numeric float4 float8 uuid date time timetz timestamp timestamptz interval'.split(' '),
);
export const isPlain = (column: CatalogColumn): boolean =>
  column.base.schema === 'pg_catalog' && PLAIN.has(column.base.name);
