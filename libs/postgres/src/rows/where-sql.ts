import type { Comparison, Condition, RowTable } from '@meridian/core';
import { columnOf, columnSql, type Parameters } from './sql-builder.js';

const OPERATORS: { readonly [op in Comparison]: string } = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'LIKE',
  ilike: 'ILIKE',
  cs: '@>',
  cd: '<@',
  ov: '&&',
};

/** Conditions joined by AND; `true` when there are none. */
export function whereSql(table: RowTable, conditions: readonly Condition[], parameters: Parameters): string {
  if (conditions.length === 0) return 'true';
  return conditions.map((c) => conditionSql(table, c, parameters)).join(' AND ');
}

function conditionSql(table: RowTable, condition: Condition, parameters: Parameters): string {
  const positive = positiveSql(table, condition, parameters);
  return condition.negated ? `NOT (${positive})` : positive;
}

function positiveSql(table: RowTable, condition: Condition, parameters: Parameters): string {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const parts = condition.of.map((c) => conditionSql(table, c, parameters));
      return `(${parts.join(condition.kind === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'is':
      return `${namedSql(table, condition.column)} IS ${condition.value.toUpperCase()}`;
    case 'in': {
      const column = namedSql(table, condition.column);
      // An untyped parameter takes the column's type, so its value goes through the type's own input function.
      return condition.values.length === 0
        ? 'false'
        : `${column} IN (${condition.values.map((v) => parameters.add(v)).join(', ')})`;
    }
    case 'compare': {
      const value = parameters.add(comparedValue(condition.op, condition.value));
      return `${namedSql(table, condition.column)} ${OPERATORS[condition.op]} ${value}`;
    }
  }
}

const namedSql = (table: RowTable, column: string): string => columnSql(columnOf(table, column));

/** PostgREST's `*` for LIKE's `%`, which a URL would have to encode. */
const comparedValue = (op: Comparison, value: string): string =>
  op === 'like' || op === 'ilike' ? value.replaceAll('*', '%') : value;

/**
 * The row with this primary key. Untyped parameters again: a cast to varchar(3) or numeric(10,2) would cut or round what
 * was sent, and find another row.
 */
export function keySql(table: RowTable, key: readonly string[], parameters: Parameters): string {
  return table.keyColumns.map((name, i) => `${namedSql(table, name)} = ${parameters.add(key[i]!)}`).join(' AND ');
}
