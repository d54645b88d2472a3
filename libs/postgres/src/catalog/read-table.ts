import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from './catalog-table.js';

export interface TableRef {
  readonly schema: string;
  readonly name: string;
}

/** Null when there is no such relation. */
export async function readTable(client: ClientBase, ref: TableRef): Promise<CatalogTable | null> {
  const { rows } = await client.query<{ found: CatalogTable }>(
    `${READ_TABLE} WHERE n.nspname = $1 AND c.relname = $2`,
    [ref.schema, ref.name],
  );
  return rows[0]?.found ?? null;
}

/** By the name that the log uses; null when it is gone. */
export async function readTableNamed(client: ClientBase, name: TableName): Promise<CatalogTable | null> {
  const { rows } = await client.query<{ found: CatalogTable }>(
    `${READ_TABLE} WHERE quote_ident(n.nspname) || '.' || quote_ident(c.relname) = $1`,
    [name],
  );
  return rows[0]?.found ?? null;
}

/** Every table of the users' schemas; partitions come with the table that they are of, an extension's tables are its own. */
export async function readUserTables(client: ClientBase): Promise<readonly CatalogTable[]> {
  const { rows } = await client.query<{ found: CatalogTable }>(`${READ_TABLE}
 WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND n.nspname NOT IN ('meridian', 'information_schema')
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname`);
  return rows.map((row) => row.found);
}

/**
 * One round trip. To be read with an empty search path: only then does format_type spell every other schema than pg_catalog
 * out, so that a type reads the same in every region.
 */
const READ_TABLE = /* sql */ `
SELECT json_build_object(
  'name', quote_ident(n.nspname) || '.' || quote_ident(c.relname),
  'oid', c.oid::bigint,
  'schema', n.nspname,
  'relation', c.relname,
  'kind', c.relkind,
  'persistence', c.relpersistence,
  'isPartition', c.relispartition,
  'rowSecurity', c.relrowsecurity,
  'owner', pg_get_userbyid(c.relowner),
  'owned', pg_has_role(c.relowner, 'USAGE'),
  'columns', coalesce((
     SELECT json_agg(json_build_object(
       'name', a.attname,
       'number', a.attnum,
       'type', format_type(a.atttypid, a.atttypmod),
       'typeName', format_type(a.atttypid, NULL),
       'notNull', a.attnotnull,
       'generated', a.attgenerated <> '',
       'generatedFrom', coalesce((
          SELECT json_agg(s.attname)
            FROM pg_attrdef d
            JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                            AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.refobjsubid <> a.attnum
            JOIN pg_attribute s ON s.attrelid = c.oid AND s.attnum = p.refobjsubid
           WHERE a.attgenerated <> '' AND d.adrelid = c.oid AND d.adnum = a.attnum), '[]'),
       'identityAlways', a.attidentity = 'a',
       'base', json_build_object('schema', bn.nspname, 'name', b.typname, 'kind', b.typtype),
       'modifier', CASE WHEN a.atttypmod = -1 THEN coalesce(base.modifier, -1) ELSE a.atttypmod END,
       'madeOf', base.made_of,
       'deterministic', coalesce(co.collisdeterministic, true)) ORDER BY a.attnum)
       FROM pg_attribute a
       LEFT JOIN pg_collation co ON co.oid = a.attcollation
       CROSS JOIN LATERAL (
         WITH RECURSIVE part AS (
           SELECT a.atttypid AS oid, a.atttypid AS domain_of, true AS outermost, -1 AS modifier
           UNION
           SELECT inner_type.oid, CASE WHEN p.outermost AND pt.typtype = 'd' THEN inner_type.oid ELSE p.domain_of END,
                  p.outermost AND pt.typtype = 'd', CASE WHEN pt.typtype = 'd' THEN pt.typtypmod ELSE -1 END
             FROM part p
             JOIN pg_type pt ON pt.oid = p.oid
             CROSS JOIN LATERAL (
               SELECT pt.typbasetype AS oid WHERE pt.typtype = 'd'
               UNION ALL SELECT pt.typelem WHERE pt.typelem <> 0 AND pt.typlen = -1
               UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = pt.oid
               UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = pt.oid
               UNION ALL SELECT f.atttypid FROM pg_attribute f
                          WHERE pt.typtype = 'c' AND f.attrelid = pt.typrelid AND f.attnum > 0 AND NOT f.attisdropped) inner_type
         )
         SELECT max(p.oid::bigint) FILTER (WHERE p.outermost AND pt.typtype <> 'd') AS oid,
                max(p.modifier) FILTER (WHERE p.outermost AND pt.typtype <> 'd') AS modifier,
                coalesce(json_agg(DISTINCT pn.nspname || '.' || pt.typname)
                  FILTER (WHERE pt.typtype = 'b' AND NOT (pt.typelem <> 0 AND pt.typlen = -1)), '[]') AS made_of
           FROM part p
           JOIN pg_type pt ON pt.oid = p.oid
           JOIN pg_namespace pn ON pn.oid = pt.typnamespace) base
       JOIN pg_type b ON b.oid = base.oid::oid
       JOIN pg_namespace bn ON bn.oid = b.typnamespace
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
  'keyColumns', coalesce((
     SELECT json_agg(a.attname ORDER BY k.n)
       FROM pg_index i
       CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.n <= i.indnkeyatts), '[]'),
  'indexes', coalesce((
     SELECT json_agg(json_build_object(
       'name', coalesce(con.conname, ic.relname),
       'primary', i.indisprimary,
       'columns', coalesce((SELECT json_agg(a.attname ORDER BY k.n)
                     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                    WHERE k.n <= i.indnkeyatts), '[]'),
       'nullsDistinct', NOT i.indnullsnotdistinct,
       'deferrable', coalesce(con.condeferrable, NOT i.indimmediate),
       'partial', i.indpred IS NOT NULL,
       'expression', i.indexprs IS NOT NULL,
       'onPartition', i.indrelid <> c.oid) ORDER BY coalesce(con.conname, ic.relname))
       FROM pg_index i
       JOIN pg_class ic ON ic.oid = i.indexrelid
       LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x') AND con.conrelid = i.indrelid
      WHERE i.indisunique AND coalesce(con.contype, 'u') <> 'x'
        AND (i.indrelid = c.oid
             OR i.indrelid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE relid <> c.oid) AND NOT ic.relispartition)), '[]'),
  'foreignKeys', coalesce((
     SELECT json_agg(json_build_object(
       'name', con.conname,
       'columns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.conkey) WITH ORDINALITY AS k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
       'parent', quote_ident(pn.nspname) || '.' || quote_ident(pc.relname),
       'parentColumns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.confkey) WITH ORDINALITY AS k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum),
       'parentKey', coalesce((
          SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                            'numeric', a.atttypid = 'numeric'::regtype) ORDER BY k.n)
            FROM pg_index i
            CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
           WHERE i.indrelid = con.confrelid AND i.indisprimary AND k.n <= i.indnkeyatts), '[]')) ORDER BY con.conname)
       FROM pg_constraint con
       JOIN pg_class pc ON pc.oid = con.confrelid
       JOIN pg_namespace pn ON pn.oid = pc.relnamespace
      WHERE con.conrelid = c.oid AND con.contype = 'f' AND con.conparentid = 0), '[]'),
  'referrers', coalesce((
     SELECT json_agg(json_build_object(
       'constraint', con.conname,
       'table', quote_ident(rn.nspname) || '.' || quote_ident(r.relname),
       'columns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.conkey) WITH ORDINALITY AS k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
       'parentColumns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.confkey) WITH ORDINALITY AS k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum))
       ORDER BY rn.nspname, r.relname, con.conname)
       FROM pg_constraint con
       JOIN pg_class r ON r.oid = con.conrelid
       JOIN pg_namespace rn ON rn.oid = r.relnamespace
      WHERE con.confrelid = c.oid AND con.conrelid <> c.oid AND con.contype = 'f' AND con.conparentid = 0), '[]'),
  'checks', coalesce((
     SELECT json_agg(json_build_object('name', con.conname, 'definition', pg_get_constraintdef(con.oid), 'columns', coalesce((
         SELECT json_agg(a.attname) FROM pg_attribute a
          WHERE a.attrelid = con.conrelid AND a.attnum > 0 AND NOT a.attisdropped
            AND (a.attnum = ANY (con.conkey) OR 0 = ANY (con.conkey))), '[]')) ORDER BY con.conname)
       FROM pg_constraint con WHERE con.conrelid = c.oid AND con.contype = 'c'), '[]'),
  'exclusions', coalesce((
     SELECT json_agg(con.conname ORDER BY con.conname) FROM pg_constraint con WHERE con.conrelid = c.oid AND con.contype = 'x'), '[]'),
  'nestedWriters', coalesce((
     SELECT json_agg(DISTINCT t.tgname) FROM pg_trigger t
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 66 = 0 AND t.tgname !~ '^meridian_'), '[]'),
  'userTriggers', coalesce((
     SELECT json_agg(DISTINCT t.tgname) FROM pg_trigger t
       JOIN (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid)) tree ON tree.relid = t.tgrelid
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgname !~ '^meridian_'), '[]'),
  'tree', (SELECT json_agg(json_build_object('oid', r.oid::bigint, 'schema', rn.nspname, 'relation', r.relname,
                                             'leaf', r.relkind <> 'p', 'foreign', r.relkind = 'f') ORDER BY tree.level, r.oid)
             FROM (SELECT c.oid AS relid, 0 AS level UNION SELECT relid, level FROM pg_partition_tree(c.oid)) tree
             JOIN pg_class r ON r.oid = tree.relid
             JOIN pg_namespace rn ON rn.oid = r.relnamespace),
  'inheritance', coalesce((
     SELECT json_agg(o.oid::regclass::text) FROM pg_inherits h
       JOIN pg_class o ON o.oid = CASE WHEN h.inhrelid = c.oid THEN h.inhparent ELSE h.inhrelid END
      WHERE (h.inhrelid = c.oid AND NOT c.relispartition) OR (h.inhparent = c.oid AND c.relkind <> 'p')), '[]')
) AS found
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace`;
