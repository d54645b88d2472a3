import type { ClientBase } from 'pg';
import type { CatalogColumn, CatalogTable } from './catalog-table.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { isBuiltIn } from './value-text.js';

/** A sequence that gives a key's numbers: behind an identity or serial column, or in a DEFAULT nextval(…). Decimal texts. */
export interface CatalogSequence {
  /** Of the primary key or of a unique key: of others, equal numbers do no harm. */
  readonly column: string;
  /** As SQL. */
  readonly name: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  /** The sequence's, or that of the column's type where it is less. */
  readonly max: string;
  readonly cyclic: boolean;
  readonly owner: string;
  readonly owned: boolean;
}

const INTEGER_MAX = { int2: 2n ** 15n - 1n, int4: 2n ** 31n - 1n, int8: 2n ** 63n - 1n } as const;

export async function readKeySequences(client: ClientBase, table: CatalogTable): Promise<readonly CatalogSequence[]> {
  const keyColumns = new Set([...table.keyColumns, ...table.indexes.flatMap((index) => index.columns)]);
  const { rows } = await client.query<CatalogSequence>(READ, [table.oid, [...keyColumns]]);
  return rows.map((found) => {
    const limit = typeMax(table.columns.find((c) => c.name === found.column)!);
    return limit !== null && limit < BigInt(found.max) ? { ...found, max: String(limit) } : found;
  });
}

function typeMax(column: CatalogColumn): bigint | null {
  const type = (['int2', 'int4', 'int8'] as const).find((name) => isBuiltIn(column, name));
  return type === undefined ? null : INTEGER_MAX[type];
}

/** What no numbering can be made of, whatever the other regions' are. */
export function keySequenceProblems(sequences: readonly CatalogSequence[]): EnrolmentProblem[] {
  return sequences.flatMap(({ name, column, owned, owner, increment, cyclic }) => {
    const gives = `the sequence ${name} behind "${column}"`;
    if (!owned)
      return [
        problem(
          'not_owner',
          `${gives} belongs to ${owner}; only its owner can give this region numbers of its own`,
          `GRANT ${owner} TO the role of postgres.url, or ALTER SEQUENCE ${name} OWNER TO it`,
        ),
      ];
    const unfit = (what: string, cure: string): EnrolmentProblem[] => [
      problem('unsupported_key_sequence', `${gives} ${what}`, `ALTER SEQUENCE ${name} ${cure}, in every region`),
    ];
    if (cyclic) return unfit('is cyclic: it would come back to numbers of other regions', 'NO CYCLE');
    if (BigInt(increment) < 0n)
      return unfit(
        'counts down, and regions share rising numbers only',
        'INCREMENT BY 1 NO MINVALUE NO MAXVALUE START WITH 1 RESTART WITH …',
      );
    return [];
  });
}

const READ = /* sql */ `
WITH used AS (
  SELECT p.refobjsubid AS attnum, p.objid AS seq FROM pg_depend p
   WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = $1 AND p.deptype = 'i'
  UNION
  SELECT d.adnum, p.refobjid FROM pg_attrdef d
    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
   WHERE d.adrelid = $1
)
SELECT a.attname AS "column", quote_ident(n.nspname) || '.' || quote_ident(s.relname) AS name,
       q.seqstart::text AS start, q.seqincrement::text AS increment, q.seqmin::text AS min, q.seqmax::text AS max,
       q.seqcycle AS cyclic, pg_get_userbyid(s.relowner) AS owner, pg_has_role(s.relowner, 'USAGE') AS owned
  FROM used
  JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = used.attnum
  JOIN pg_class s ON s.oid = used.seq AND s.relkind = 'S'
  JOIN pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid
 WHERE a.attname = ANY ($2)
 ORDER BY a.attnum, s.oid`;
