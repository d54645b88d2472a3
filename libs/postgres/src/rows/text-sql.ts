import type { RowColumn, RowTable, RowWrite } from '@meridian/core';
import { columnSql, Parameters, quoteIdent, type Statement, tableSql, writableColumnOf } from './sql-builder.js';
import { keySql } from './where-sql.js';

/** A row as capture logs it: every value as its type's own text output. Locked, so that it is still this one when it is written. */
export function lockedRowSql(table: RowTable, key: readonly string[]): Statement {
  const parameters = new Parameters();
  const pairs = pairsSql(table.columns, (c) => columnSql(c), parameters);
  const where = keySql(table, key, parameters);
  return { text: `SELECT ${pairs} FROM ${tableSql(table)} AS t WHERE ${where} FOR UPDATE`, values: parameters.values };
}

/** The JSON values of a request, read as their columns' types and written as text. */
export function textsSql(write: RowWrite & { readonly kind: 'update' }): Statement {
  const parameters = new Parameters();
  const columns = write.columns.map((c) => writableColumnOf(write.table, c));
  const pairs = pairsSql(columns, (c) => `r.${quoteIdent(c.name)}`, parameters);
  const typed = columns.map((c) => `${quoteIdent(c.name)} ${c.type}`).join(', ');
  const from = `json_to_record(${parameters.add(write.values)}::json) AS r(${typed})`;
  return { text: `SELECT ${pairs} FROM ${from}`, values: parameters.values };
}

function pairsSql(
  columns: readonly RowColumn[],
  valueOf: (column: RowColumn) => string,
  parameters: Parameters,
): string {
  const names = columns.map((c) => `${parameters.add(c.name)}::text`);
  return `json_object(ARRAY[${names.join(', ')}], ARRAY[${columns.map((c) => textSql(c, valueOf(c))).join(', ')}])::text`;
}

/** As capture does: bpchar's cast to text alone drops trailing blanks. */
const textSql = ({ type }: RowColumn, value: string): string =>
  /^(bpchar|character)(\(|$)/.test(type) ? `textin(bpcharout(${value}))` : `${value}::text`;
