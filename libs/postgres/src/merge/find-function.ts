import type { Session } from '../connection/session.js';

export type FoundFunction =
  | {
      readonly kind: 'found';
      /** Quoted, for a statement. */
      readonly sql: string;
      /** Of its language, its text and its settings: what two regions may not have differently under one name. */
      readonly digest: string;
    }
  | { readonly kind: 'refused'; readonly detail: string };

/** Only what the catalog quotes itself gets into a statement. */
export const FIND_FUNCTION = /* sql */ `
SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname), p.provolatile, (p.prorettype = 'jsonb'::regtype)::text,
       (has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE'))::text,
       md5(json_build_array(l.lanname, p.prosrc, pg_get_function_sqlbody(p.oid), p.proconfig, p.prosecdef, p.proisstrict)::text)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
 WHERE p.prokind = 'f' AND p.pronargs = 2 AND p.proargtypes[0] = 'jsonb'::regtype AND p.proargtypes[1] = 'jsonb'::regtype
   AND (quote_ident(n.nspname) || '.' || quote_ident(p.proname) = $1 OR n.nspname || '.' || p.proname = $1)
 ORDER BY 1 LIMIT 1`;

/** `name`: as in SQL, schema first. `digest`: the one that the regions agreed on; left out, whichever it has. */
export async function findFunction(session: Session, name: string, digest?: string): Promise<FoundFunction> {
  const { rows } = await session.query(FIND_FUNCTION, [name]);
  return functionIn(rows[0], name, digest);
}

/** In a row of {@link FIND_FUNCTION}'s answer, as texts. */
export function functionIn(
  row: readonly (string | null)[] | undefined,
  name: string,
  agreed: string | undefined,
): FoundFunction {
  if (row === undefined)
    return refused(`this region has no function ${name}(jsonb, jsonb): create it in every region, and name its schema`);
  const [sql, volatility, returnsJsonb, allowed, digest] = row;
  if (returnsJsonb !== 'true') return refused(`${name} does not return jsonb`);
  if (volatility !== 'i')
    return refused(`${name} is not IMMUTABLE: a merge may depend on its arguments alone; ALTER FUNCTION … IMMUTABLE`);
  if (allowed !== 'true')
    return refused(`${name} is not for this role: GRANT USAGE ON SCHEMA … and GRANT EXECUTE ON FUNCTION … TO it`);
  if (agreed !== undefined && agreed !== digest)
    return refused(
      `${name} is not what the regions agreed on: make it alike in every region, then write the table's policy again (PUT)`,
    );
  return { kind: 'found', sql: sql!, digest: digest! };
}

const refused = (detail: string): FoundFunction => ({ kind: 'refused', detail });
