import type { TableName, TableRef } from '@meridian/core';
import type { Pool } from 'pg';

export interface TypedColumns {
  readonly table: TableName;
  /** Types as `format_type` writes them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Null: there is no such table. */
export async function typedColumns(pool: Pool, { schema, name }: TableRef): Promise<TypedColumns | null> {
  const { rows } = await pool.query<TypedColumns>(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS table,
            json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) AS columns
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1`,
    [schema, name],
  );
  return rows[0] ?? null;
}
