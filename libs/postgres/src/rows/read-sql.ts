import type { Order, RowQuery, RowTable, Selected } from '@meridian/core';
import { columnOf, columnSql, ETAG_SQL, Parameters, rowSql, type Statement, tableSql } from './sql-builder.js';
import { keySql, whereSql } from './where-sql.js';

/** One JSON text per row. */
export function readSql(table: RowTable, query: RowQuery): Statement {
  const parameters = new Parameters();
  const where = whereSql(table, query.where, parameters);
  const order = query.order.length === 0 ? '' : ` ORDER BY ${query.order.map((o) => orderSql(table, o)).join(', ')}`;
  // Limits are parameters too, so that paging through a table is one prepared statement.
  const limit = query.limit === null ? '' : ` LIMIT ${parameters.add(String(query.limit))}`;
  const offset = query.offset === 0 ? '' : ` OFFSET ${parameters.add(String(query.offset))}`;
  return {
    text: `SELECT ${rowSql(table, query.select)} FROM ${tableSql(table)} AS t WHERE ${where}${order}${limit}${offset}`,
    values: parameters.values,
  };
}

export function countSql(table: RowTable, query: RowQuery): Statement {
  const parameters = new Parameters();
  const where = whereSql(table, query.where, parameters);
  return { text: `SELECT count(*) FROM ${tableSql(table)} AS t WHERE ${where}`, values: parameters.values };
}

export function readOneSql(table: RowTable, key: readonly string[], select: readonly Selected[] | null): Statement {
  const parameters = new Parameters();
  const where = keySql(table, key, parameters);
  return {
    text: `SELECT ${rowSql(table, select)}, ${ETAG_SQL} FROM ${tableSql(table)} AS t WHERE ${where}`,
    values: parameters.values,
  };
}

function orderSql(table: RowTable, order: Order): string {
  const nulls = order.nulls === null ? '' : ` NULLS ${order.nulls.toUpperCase()}`;
  return `${columnSql(columnOf(table, order.column))}${order.descending ? ' DESC' : ''}${nulls}`;
}
