import type { RowColumn, RowTable, TableName, TableRef } from '@meridian/core';
import type { Pool } from 'pg';

/** How long REST may go on with what it knew of a table after a migration changed it. */
const FRESH_MS = 2_000;

/** What the catalog says of enrolled tables, remembered for a moment: looking it up anew would double a write's round trips. */
export class TableCatalog {
  readonly #known = new Map<string, { readonly table: RowTable; readonly until: number }>();

  constructor(
    private readonly pool: Pool,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async table(ref: TableRef): Promise<RowTable | null> {
    const id = `${ref.schema}\0${ref.name}`;
    const known = this.#known.get(id);
    if (known !== undefined && known.until > this.nowMs()) return known.table;
    const table = await this.#load(ref);
    if (table === null) this.#known.delete(id);
    else this.#known.set(id, { table, until: this.nowMs() + FRESH_MS });
    return table;
  }

  /** A statement failed in a way that a changed table explains. */
  forget(): void {
    this.#known.clear();
  }

  async #load(ref: TableRef): Promise<RowTable | null> {
    const { rows } = await this.pool.query<Found>(TABLE, [ref.schema, ref.name]);
    if (rows[0] === undefined) return null;
    const { rel, columns, key, registers } = rows[0];
    return { name: rel as TableName, ref, columns, keyColumns: key, mayHaveSiblings: registers };
  }
}

interface Found {
  readonly rel: string;
  readonly columns: RowColumn[];
  readonly key: string[];
  readonly registers: boolean;
}

/** Meridian's own tables are enrolled, so that they replicate, but they are not the users'. */
const TABLE = /* sql */ `
SELECT e.rel, e.spec::text LIKE '%"kind":"register"%' AS registers,
       (SELECT json_agg(json_build_object(
                 'name', a.attname,
                 'type', format_type(a.atttypid, a.atttypmod),
                 'notNull', a.attnotnull,
                 'writable', a.attgenerated = '' AND a.attidentity <> 'a',
                 'generated', a.attgenerated <> '') ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT json_agg(a.attname ORDER BY k.n)
          FROM pg_index i
          CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.n <= i.indnkeyatts) AS key
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN meridian.enrolled_table e ON e.rel = quote_ident(n.nspname) || '.' || quote_ident(c.relname)
 WHERE n.nspname = $1 AND c.relname = $2 AND n.nspname <> 'meridian'
`;
