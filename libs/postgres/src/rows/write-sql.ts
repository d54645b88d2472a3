import { ANY_ETAG, type RowTable, type RowWrite, type Target, type Writer } from '@meridian/core';
import {
  columnOf,
  ETAG_SQL,
  Parameters,
  quoteIdent,
  rowSql,
  type Statement,
  tableSql,
  writableColumnOf,
} from './sql-builder.js';
import { keySql, whereSql } from './where-sql.js';

/** For the transaction: what capture keeps with its changes. */
export const setWriterSql = ({ actor, application }: Writer, add: (value: string) => string): string =>
  `set_config('meridian.actor', ${add(actor)}, true) || set_config('meridian.application', ${add(application ?? '')}, true)`;

type Write<K extends RowWrite['kind']> = Extract<RowWrite, { kind: K }>;

/**
 * One statement per write, so that a simple write is one round trip in an implicit transaction. The actor is set by an
 * uncorrelated subquery, which runs once and before the rows are touched; capture reads it at the statement's end.
 */
export function writeSql(write: RowWrite, writer: Writer): Statement {
  const parameters = new Parameters();
  const setActor = `(SELECT ${setWriterSql(writer, (value) => parameters.add(value))}) IS NOT NULL`;
  return {
    text: `${bodySql(write, setActor, parameters)}${returningSql(write, parameters)}`,
    values: parameters.values,
  };
}

function bodySql(write: RowWrite, setActor: string, parameters: Parameters): string {
  switch (write.kind) {
    case 'insert':
      return insertSql(write, setActor, parameters);
    case 'update':
      return updateSql(write, setActor, parameters);
    case 'replace':
      return write.etag === null ? upsertSql(write, setActor, parameters) : overwriteSql(write, setActor, parameters);
    case 'delete':
      return `DELETE FROM ${tableSql(write.table)} AS t WHERE ${setActor} AND ${targetSql(write.table, write.target, parameters)}`;
  }
}

function insertSql(write: Write<'insert'>, setActor: string, parameters: Parameters): string {
  const { table } = write;
  const into = `INSERT INTO ${tableSql(table)} AS t`;
  if (write.columns.length === 0) {
    const source = write.many ? ` FROM json_array_elements(${parameters.add(write.values)}::json)` : '';
    return `${into} SELECT${source} WHERE ${setActor}`;
  }
  const names = write.columns.map(quoteIdent);
  const values = names.map((n) => `r.${n}`).join(', ');
  const overriding = write.texts === true ? ' OVERRIDING SYSTEM VALUE' : '';
  return `${into} (${names.join(', ')})${overriding} SELECT ${values} FROM ${recordSql(write, parameters)} WHERE ${setActor}${conflictSql(write)}`;
}

function conflictSql({ table, onConflict, columns }: Write<'insert'>): string {
  if (onConflict === null) return '';
  const target = onConflict.columns ?? table.keyColumns;
  const targetText = target.map((c) => quoteIdent(columnOf(table, c).name)).join(', ');
  const rest = columns.filter((c) => !target.includes(c));
  if (onConflict.resolution === 'ignore' || rest.length === 0) return ` ON CONFLICT (${targetText}) DO NOTHING`;
  return ` ON CONFLICT (${targetText}) DO UPDATE SET ${rest.map(excluded).join(', ')}`;
}

const excluded = (column: string): string => `${quoteIdent(column)} = EXCLUDED.${quoteIdent(column)}`;

function updateSql(write: Write<'update'>, setActor: string, parameters: Parameters): string {
  const { table } = write;
  const set = write.columns.map((c) => `${quoteIdent(c)} = r.${quoteIdent(c)}`).join(', ');
  const from = recordSql({ ...write, many: false }, parameters);
  return `UPDATE ${tableSql(table)} AS t SET ${set} FROM ${from} WHERE ${setActor} AND ${targetSql(table, write.target, parameters)}`;
}

/** PUT: the key from the path, the other columns from the body or their defaults; EXCLUDED holds the defaults. */
function upsertSql(write: Write<'replace'>, setActor: string, parameters: Parameters): string {
  const { table } = write;
  const named = write.columns.filter((c) => !table.keyColumns.includes(c));
  const into = [...table.keyColumns, ...named].map(quoteIdent).join(', ');
  const key = write.key.map((value) => parameters.add(value));
  const from = named.length === 0 ? '' : ` FROM ${recordSql({ ...write, columns: named, many: false }, parameters)}`;
  const values = [...key, ...named.map((c) => `r.${quoteIdent(c)}`)].join(', ');
  const others = table.columns.filter((c) => c.writable && !table.keyColumns.includes(c.name)).map((c) => c.name);
  // A table of key columns only still needs an update: DO NOTHING would return no row.
  const set = (others.length === 0 ? table.keyColumns.slice(0, 1) : others).map(excluded).join(', ');
  const target = table.keyColumns.map(quoteIdent).join(', ');
  return `INSERT INTO ${tableSql(table)} AS t (${into}) SELECT ${values}${from} WHERE ${setActor} ON CONFLICT (${target}) DO UPDATE SET ${set}`;
}

/** PUT with If-Match: the row must be there, so it is an update of every column. */
function overwriteSql(write: Write<'replace'>, setActor: string, parameters: Parameters): string {
  const { table } = write;
  const named = write.columns.filter((c) => !table.keyColumns.includes(c));
  const others = table.columns
    .filter((c) => c.writable && !table.keyColumns.includes(c.name))
    .map((c) => quoteIdent(c.name));
  const set = others.map((c) => `${c} = ${named.map(quoteIdent).includes(c) ? `r.${c}` : 'DEFAULT'}`);
  const keep = table.keyColumns.slice(0, 1).map((c) => `${quoteIdent(c)} = t.${quoteIdent(c)}`);
  const from = named.length === 0 ? '' : ` FROM ${recordSql({ ...write, columns: named, many: false }, parameters)}`;
  const target = targetSql(table, { kind: 'key', key: write.key, etag: write.etag }, parameters);
  return `UPDATE ${tableSql(table)} AS t SET ${(set.length === 0 ? keep : set).join(', ')}${from} WHERE ${setActor} AND ${target}`;
}

/** The request's JSON as typed columns, taken apart by PostgreSQL, so that no digit passes through JavaScript. */
function recordSql(
  write: {
    readonly table: RowTable;
    readonly columns: readonly string[];
    readonly values: string;
    readonly many: boolean;
    readonly texts?: true;
  },
  parameters: Parameters,
): string {
  if (write.texts === true) return textRecordSql(write, parameters);
  const columns = write.columns.map((c) => `${quoteIdent(c)} ${writableColumnOf(write.table, c).type}`).join(', ');
  return `${write.many ? 'json_to_recordset' : 'json_to_record'}(${parameters.add(write.values)}::json) AS r(${columns})`;
}

/** Explicit casts: of a value that was in such a column, none of them cuts or rounds. */
function textRecordSql(
  write: { readonly table: RowTable; readonly columns: readonly string[]; readonly values: string },
  parameters: Parameters,
): string {
  const typed = write.columns.map((c) => `x.${quoteIdent(c)}::${columnOf(write.table, c).type} AS ${quoteIdent(c)}`);
  const texts = write.columns.map((c) => `${quoteIdent(c)} text`).join(', ');
  return `(SELECT ${typed.join(', ')} FROM json_to_record(${parameters.add(write.values)}::json) AS x(${texts})) AS r`;
}

function targetSql(table: RowTable, target: Target, parameters: Parameters): string {
  if (target.kind === 'where') return whereSql(table, target.where, parameters);
  // The etag is compared in the statement that writes: under READ COMMITTED it is looked at again when the row was changed meanwhile.
  const etag =
    target.etag === null || target.etag === ANY_ETAG ? '' : ` AND ${ETAG_SQL} = ${parameters.add(target.etag)}`;
  return `${keySql(table, target.key, parameters)}${etag}`;
}

function returningSql(write: RowWrite, parameters: Parameters): string {
  const shown: string[] =
    write.returning.kind === 'nothing' ? [] : [rowSql(write.table, write.returning.select), ETAG_SQL];
  if (write.kind === 'replace') {
    // Seen with the statement's own snapshot: did the row exist before? (xmax = 0 is not to be had on partitioned tables.)
    const same = write.table.keyColumns.map((c, i) => `o.${quoteIdent(c)} = ${parameters.add(write.key[i]!)}`);
    shown.push(`NOT EXISTS (SELECT FROM ${tableSql(write.table)} AS o WHERE ${same.join(' AND ')})`);
  }
  return shown.length === 0 ? '' : ` RETURNING ${shown.join(', ')}`;
}
