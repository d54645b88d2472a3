import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../../catalog/catalog-table.js';

/** What the checks look at beside what an enrolment reads: definitions as SQL, spelled out as with an empty search path. */
export interface TableFacts {
  /** server_version_num. */
  readonly version: number;
  /** The role of postgres.url, as SQL. */
  readonly me: string;
  /** As of the last ANALYZE; -1: never. */
  readonly rows: number;
  readonly bytes: number;
  /** Row security that holds for the service's own role, too. */
  readonly hidesRows: boolean;
  readonly schemaUsable: boolean;
  readonly expressions: readonly ColumnExpression[];
  readonly constraints: readonly Constraint[];
  readonly uniqueIndexes: readonly UniqueIndex[];
  readonly triggers: readonly UserTrigger[];
  readonly rules: readonly Rule[];
  readonly sequences: readonly UsedSequence[];
  readonly referring: readonly Referring[];
  /** Foreign keys, of this table or to it, that no index begins with. */
  readonly unindexed: readonly { readonly table: TableName; readonly columns: readonly string[] }[];
  /** INHERITS, as [child, parent]. */
  readonly inheritance: readonly (readonly [TableName, TableName])[];
  readonly foreignPartitions: readonly (readonly [partition: TableName, parent: TableName])[];
}

interface ColumnExpression {
  readonly column: string;
  readonly expression: string;
  readonly generated: boolean;
}

interface Constraint {
  readonly name: string;
  /** pg_constraint.contype: p, u, f, c, x. */
  readonly kind: string;
  readonly columns: readonly string[];
  readonly definition: string;
}

/** Of the table or of one of its partitions, a constraint's or not. */
interface UniqueIndex {
  /** The constraint's name where there is one, else the index's. */
  readonly name: string;
  readonly index: string;
  readonly relation: TableName;
  readonly constraint: boolean;
  readonly definition: string;
}

export interface UserTrigger {
  readonly name: string;
  readonly relation: TableName;
  /** pg_trigger.tgenabled: O origin, R replica, A always. */
  readonly enabled: string;
  /** BEFORE each row: what it returns is what is written. */
  readonly changesRows: boolean;
  readonly definition: string;
  readonly source: string;
}

export interface Rule {
  readonly name: string;
  readonly enabled: string;
  readonly on: 'UPDATE' | 'INSERT' | 'DELETE';
}

export interface UsedSequence {
  readonly column: string;
  readonly name: string;
  readonly identity: boolean;
  readonly last: string | null;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cyclic: boolean;
}

/** A foreign key to this table, by one column of it and one that refers. */
export interface Referring {
  readonly constraint: string;
  readonly table: TableName;
  readonly column: string;
  readonly to: string;
  readonly type: string;
  readonly columns: number;
  readonly definition: string;
  /** The referring column has a default, or is itself referred to: changing its type takes more. */
  readonly entangled: boolean;
}

/** One round trip; to be read with an empty search path. Named, for planning it takes longer than reading a table's facts. */
export async function readFacts(client: ClientBase, table: CatalogTable): Promise<TableFacts> {
  const { rows } = await client.query<{ facts: TableFacts }>({ name: 'table_facts', text: READ, values: [table.oid] });
  return rows[0]!.facts;
}

const NAME = (alias: string): string =>
  `(SELECT format('%I.%I', nn.nspname, cc.relname) FROM pg_class cc JOIN pg_namespace nn ON nn.oid = cc.relnamespace WHERE cc.oid = ${alias})`;
const COLUMNS = (relation: string, numbers: string): string =>
  `coalesce((SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(${numbers}) WITH ORDINALITY AS k(attnum, n)
              JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.attnum), '[]')`;

const READ = /* sql */ `
WITH tree AS (SELECT $1::oid AS relid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'me', quote_ident(current_user),
  'rows', (SELECT CASE WHEN bool_or(r.reltuples < 0 AND r.relkind = 'r') THEN -1 ELSE sum(r.reltuples) FILTER (WHERE r.relkind = 'r') END
             FROM tree JOIN pg_class r ON r.oid = tree.relid),
  'bytes', (SELECT sum(pg_table_size(relid)) FROM tree),
  'hidesRows', c.relrowsecurity AND NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user)
               AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')),
  'schemaUsable', has_schema_privilege(c.relnamespace, 'USAGE'),
  'expressions', coalesce((
     SELECT json_agg(json_build_object('column', a.attname, 'expression', pg_get_expr(d.adbin, d.adrelid), 'generated', a.attgenerated <> '') ORDER BY a.attnum)
       FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid), '[]'),
  'constraints', coalesce((
     SELECT json_agg(json_build_object('name', con.conname, 'kind', con.contype, 'columns', ${COLUMNS('con.conrelid', 'con.conkey')},
                                       'definition', pg_get_constraintdef(con.oid)) ORDER BY con.conname)
       FROM pg_constraint con WHERE con.conrelid = c.oid AND con.contype IN ('p', 'u', 'f', 'c', 'x') AND con.conparentid = 0), '[]'),
  'uniqueIndexes', coalesce((
     SELECT json_agg(json_build_object('name', coalesce(con.conname, ic.relname), 'index', ${NAME('i.indexrelid')}, 'relation', ${NAME('i.indrelid')},
                                       'constraint', con.oid IS NOT NULL, 'definition', pg_get_indexdef(i.indexrelid)) ORDER BY ic.relname)
       FROM tree JOIN pg_index i ON i.indrelid = tree.relid AND i.indisunique
       JOIN pg_class ic ON ic.oid = i.indexrelid AND NOT ic.relispartition
       LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x') AND con.conrelid = i.indrelid), '[]'),
  'triggers', coalesce((
     SELECT json_agg(json_build_object('name', t.tgname, 'relation', ${NAME('t.tgrelid')}, 'enabled', t.tgenabled,
                                       'changesRows', t.tgtype & 3 = 3, 'definition', pg_get_triggerdef(t.oid), 'source', p.prosrc)
                     ORDER BY t.tgname, t.tgrelid)
       FROM tree JOIN pg_trigger t ON t.tgrelid = tree.relid JOIN pg_proc p ON p.oid = t.tgfoid
      WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'D' AND t.tgname !~ '^meridian_'), '[]'),
  'rules', coalesce((
     SELECT json_agg(json_build_object('name', r.rulename, 'enabled', r.ev_enabled,
                                       'on', CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' ELSE 'DELETE' END) ORDER BY r.rulename)
       FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND r.ev_enabled <> 'D'), '[]'),
  'sequences', coalesce((
     SELECT json_agg(json_build_object('column', a.attname, 'name', ${NAME('q.seqrelid')}, 'identity', used.identity,
                                       'last', pg_sequence_last_value(q.seqrelid)::text, 'increment', q.seqincrement::text,
                                       'min', q.seqmin::text, 'max', least(q.seqmax, type_max.n)::text, 'cyclic', q.seqcycle) ORDER BY a.attnum)
       FROM (SELECT p.refobjsubid AS attnum, p.objid AS seq, true AS identity FROM pg_depend p
              WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.deptype = 'i' AND p.refobjsubid > 0
             UNION
             SELECT d.adnum, p.refobjid, false FROM pg_attrdef d
               JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
              WHERE d.adrelid = c.oid) used
       JOIN pg_sequence q ON q.seqrelid = used.seq AND has_sequence_privilege(q.seqrelid, 'SELECT')
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = used.attnum
       CROSS JOIN LATERAL (SELECT CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                                                  ELSE 9223372036854775807 END AS n) type_max), '[]'),
  'referring', coalesce((
     SELECT json_agg(json_build_object('constraint', con.conname, 'table', ${NAME('con.conrelid')}, 'column', a.attname, 'to', f.attname,
                                       'type', format_type(a.atttypid, a.atttypmod), 'columns', cardinality(con.conkey),
                                       'definition', pg_get_constraintdef(con.oid),
                                       'entangled', a.atthasdef OR a.attidentity <> '' OR EXISTS (
                                          SELECT FROM pg_constraint o WHERE o.contype = 'f' AND o.oid <> con.oid
                                             AND (o.confrelid = a.attrelid AND a.attnum = ANY (o.confkey) AND o.conrelid <> a.attrelid
                                                  OR o.conrelid = a.attrelid AND a.attnum = ANY (o.conkey)))) ORDER BY con.oid, k.n)
       FROM pg_constraint con
       CROSS JOIN unnest(con.conkey, con.confkey) WITH ORDINALITY AS k(own, referred, n)
       JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.own
       JOIN pg_attribute f ON f.attrelid = con.confrelid AND f.attnum = k.referred
      WHERE con.confrelid = c.oid AND con.contype = 'f' AND con.conparentid = 0), '[]'),
  'unindexed', coalesce((
     SELECT json_agg(json_build_object('table', ${NAME('con.conrelid')}, 'columns', ${COLUMNS('con.conrelid', 'con.conkey')}) ORDER BY con.conname)
       FROM pg_constraint con
      WHERE c.oid IN (con.conrelid, con.confrelid) AND con.contype = 'f' AND con.conparentid = 0
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = con.conrelid AND i.indisvalid AND i.indpred IS NULL
                           AND (i.indkey::int2[])[0:cardinality(con.conkey) - 1] @> con.conkey)), '[]'),
  'inheritance', coalesce((
     SELECT json_agg(json_build_array(${NAME('h.inhrelid')}, ${NAME('h.inhparent')})) FROM pg_inherits h JOIN pg_class ch ON ch.oid = h.inhrelid
      WHERE c.oid IN (h.inhrelid, h.inhparent) AND NOT ch.relispartition), '[]'),
  'foreignPartitions', coalesce((
     SELECT json_agg(json_build_array(${NAME('h.inhrelid')}, ${NAME('h.inhparent')}))
       FROM tree JOIN pg_inherits h ON h.inhrelid = tree.relid JOIN pg_class ch ON ch.oid = h.inhrelid AND ch.relkind = 'f'), '[]')
) AS facts
FROM pg_class c WHERE c.oid = $1`;
