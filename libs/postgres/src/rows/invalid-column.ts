import type { RowWrite } from '@meridian/core';
import type { Pool } from 'pg';
import { columnOf, quoteIdent } from './sql-builder.js';

/** More columns than this are not tried one by one. */
const MAX_TRIED = 100;

/**
 * PostgreSQL names no column when a value does not suit its type, so after such a failure each column is read alone
 * until one fails. Only the way of errors pays for it. Null: none alone fails (or the write has no body).
 */
export async function invalidColumn(pool: Pool, write: RowWrite): Promise<string | null> {
  if (write.kind === 'delete') return null;
  const read = write.kind === 'insert' && write.many ? 'json_to_recordset' : 'json_to_record';
  for (const name of write.columns.slice(0, MAX_TRIED)) {
    const { type } = columnOf(write.table, name);
    try {
      await pool.query(`SELECT count(r.*) FROM ${read}($1::json) AS r(${quoteIdent(name)} ${type})`, [write.values]);
    } catch {
      return name;
    }
  }
  return null;
}
