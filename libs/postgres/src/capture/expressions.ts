import type { Register } from '@meridian/core';
import type { CatalogColumn } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import { differs, isBuiltIn, isPlain, keyTextOf, textOf } from '../catalog/value-text.js';
import { type CaptureTarget, columnOf, keyOf, shippedColumns } from './capture-target.js';

/** Rows of the transition tables: `o` before the statement, `n` after it. */
export type RowAlias = 'o' | 'n' | 't';

/** json_build_array looks the types of its arguments up at every call: where nothing has to be escaped, the text is put together. */
export function keyArray(target: CaptureTarget, row: RowAlias): string {
  const texts = keyOf(target).map((c) => keyTextOf(c, row));
  return keyOf(target).every(isPlain)
    ? `concat('["', ${texts.join(`, '", "', `)}, '"]')::json`
    : `json_build_array(${texts.join(', ')})`;
}

export const keysJoin = (target: CaptureTarget, a: RowAlias, b: RowAlias): string =>
  keyOf(target)
    .map((c) => `${a}.${ident(c.name)} = ${b}.${ident(c.name)}`)
    .join(' AND ');

/** A row without its partner in the full join has all its key columns NULL, and no row has one. */
export const missing = (target: CaptureTarget, row: RowAlias): string =>
  `${row}.${ident(keyOf(target)[0]!.name)} IS NULL`;

/** Inserted or deleted by key: after the join on the key, its columns differ only where one side is missing. */
export const moved = (target: CaptureTarget): string => {
  const key = ident(keyOf(target)[0]!.name);
  return `o.${key} IS DISTINCT FROM n.${key}`;
};

/** A value as a member of a JSON object, `,"qty":"5"`. to_json(text) escapes as PostgreSQL does everywhere else. */
function member(target: CaptureTarget, column: CatalogColumn, row: RowAlias): string {
  const name = `,${JSON.stringify(column.name)}:`;
  const value = `${row}.${ident(column.name)}`;
  if (isPlain(column)) return quotedMember(column, finite(target, column, row), value);
  const json = `to_json(${textOf(column, row)})`;
  return `concat(${literal(name)}, ${column.notNull ? json : `coalesce(${json}, 'null')`})`;
}

function quotedMember(column: CatalogColumn, text: string, value: string): string {
  const name = `,${JSON.stringify(column.name)}:`;
  const quoted = `concat(${literal(`${name}"`)}, ${text}, '"')`;
  return column.notNull ? quoted : `CASE WHEN ${value} IS NULL THEN ${literal(`${name}null`)} ELSE ${quoted} END`;
}

/** A counter that became NaN or infinite could never be added to again: its writer is told (meridian.finite raises). */
const finite = (target: CaptureTarget, column: CatalogColumn, row: RowAlias): string => {
  const value = `${row}.${ident(column.name)}`;
  return row === 'n' && target.spec.counters.includes(column.name) && isBuiltIn(column, 'numeric')
    ? `meridian.finite(${value})`
    : value;
};

/** The whole row as JSON text, generated columns left out. */
export const wholeRow = (target: CaptureTarget, row: RowAlias): string => rowOf(target, shippedColumns(target), row);

/**
 * These columns of a row. Flat, for it is evaluated row by row in bulk: a member a call, and the first comma cut off afterwards,
 * took 15 % longer for 20,000 rows.
 */
function rowOf(target: CaptureTarget, columns: readonly CatalogColumn[], row: RowAlias): string {
  const members = columns.flatMap((column, i) => {
    const name = `${i === 0 ? '{' : ','}${JSON.stringify(column.name)}:`;
    const text = isPlain(column) ? `${finite(target, column, row)}::text` : textOf(column, row);
    if (isPlain(column) && column.notNull) return [literal(`${name}"`), finite(target, column, row), `'"'`];
    return [literal(name), column.notNull ? `to_json(${text})` : `coalesce(to_json(${text}), 'null')`];
  });
  return `${concat([...members, `'}'`])}::json`;
}

/** Members, each beginning with a comma, as one JSON object. concat ignores NULLs; a function takes at most 100 arguments. */
export function object(members: readonly string[]): string {
  return members.length === 0 ? `'{}'::json` : `('{' || substr(${concat(members)}, 2) || '}')::json`;
}

const ARGUMENTS_A_CALL = 90;
function concat(parts: readonly string[]): string {
  if (parts.length <= ARGUMENTS_A_CALL) return `concat(${parts.join(',\n      ')})`;
  const calls: string[] = [];
  for (let i = 0; i < parts.length; i += ARGUMENTS_A_CALL) calls.push(concat(parts.slice(i, i + ARGUMENTS_A_CALL)));
  return concat(calls);
}

/**
 * What an update of rows that keep their keys writes: the registers with a changed column, whole, and counters that changed, as
 * differences. Setting an expression up costs a single-row statement more than running it, so nothing is in it that need not be.
 */
export function changedValues(target: CaptureTarget, row: 'o' | 'n'): string {
  const { registers, counters } = target.spec;
  const only = registers.length === 1 && counters.length === 0 ? registers[0] : undefined;
  if (only !== undefined)
    return rowOf(
      target,
      only.columns.map((name) => columnOf(target, name)),
      row,
    );
  return changedMembers(target, row, null);
}

/** The same where keys may have come and gone, too: such rows are written whole. */
export const changedOrMovedValues = (target: CaptureTarget, row: 'o' | 'n'): string =>
  changedMembers(target, row, moved(target));

/** `gone`: the condition that a row's key came or went; null where none can have. */
function changedMembers(target: CaptureTarget, row: 'o' | 'n', gone: string | null): string {
  const { registers, counters } = target.spec;
  const keys = gone === null ? [] : keyOf(target);
  const orGone = gone === null ? '' : ` OR ${gone}`;
  return object([
    ...keys.map((c) => `CASE WHEN ${gone} THEN ${member(target, c, row)} END`),
    ...registers.map(
      (r) => `CASE WHEN ${registerDiffers(target, r)}${orGone} THEN ${registerMembers(target, r, row)} END`,
    ),
    ...counters.map((name) => {
      const column = columnOf(target, name);
      const value = member(target, column, row);
      if (row === 'o') return `CASE WHEN ${differs(column)}${orGone} THEN ${value} END`;
      const whole = gone === null ? '' : `WHEN ${gone} THEN ${value} `;
      return `CASE ${whole}WHEN ${differs(column)} THEN ${differenceMember(target, column)} END`;
    }),
  ]);
}

function registerMembers(target: CaptureTarget, register: Register, row: 'o' | 'n'): string {
  const members = register.columns.map((name) => member(target, columnOf(target, name), row));
  return members.length === 1 ? members[0]! : concat(members);
}

const differenceMember = (target: CaptureTarget, column: CatalogColumn): string =>
  quotedMember(column, differenceOf(target, column), `n.${ident(column.name)}`);

/** Wider than the column, for the difference of two of its values may be beyond its range. */
function differenceOf(target: CaptureTarget, column: CatalogColumn): string {
  const name = ident(column.name);
  if (isBuiltIn(column, 'numeric')) return `${finite(target, column, 'n')} - o.${name}`;
  return `n.${name}::${isBuiltIn(column, 'int8') ? 'numeric' : 'bigint'} - o.${name}`;
}

export const registerDiffers = (target: CaptureTarget, register: Register): string =>
  register.columns.map((name) => differs(columnOf(target, name))).join(' OR ');

/** Does a row that keeps its key have to be logged? An update that changes nothing is none. Of a table that is all key: never. */
export function anyDifference(target: CaptureTarget): string {
  const columns = [...target.spec.registers.flatMap((r) => r.columns), ...target.spec.counters];
  return columns.length === 0 ? 'false' : columns.map((name) => differs(columnOf(target, name))).join('\n     OR ');
}

/**
 * A timestamp as microseconds since 1970; NULL and the infinities as the least and greatest bigint. What a bigint cannot say, from
 * the year 294,247 on, is all equal: an error would be the writer's.
 */
export function microseconds(column: CatalogColumn, row: RowAlias): string {
  const value = `${row}.${ident(column.name)}`;
  return (
    `CASE WHEN isfinite(${value}) THEN least(extract(epoch FROM ${value}) * 1000000, 9223372036854775806)::bigint ` +
    `WHEN ${value} > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775808 END`
  );
}
