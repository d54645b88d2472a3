import type { Session } from '../connection/session.js';

export type FoundFunction =
  | { readonly kind: 'found'; /** Quoted, for a statement. */ readonly sql: string }
  | { readonly kind: 'refused'; readonly detail: string };

/** `name`: as in SQL, schema first. Only what the catalog quotes itself gets into a statement. */
export async function findFunction(session: Session, name: string): Promise<FoundFunction> {
  const { rows } = await session.query(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname), p.provolatile, p.prorettype = 'jsonb'::regtype,
            has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE')
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.prokind = 'f' AND p.pronargs = 2 AND p.proargtypes[0] = 'jsonb'::regtype AND p.proargtypes[1] = 'jsonb'::regtype
        AND (quote_ident(n.nspname) || '.' || quote_ident(p.proname) = $1 OR n.nspname || '.' || p.proname = $1)
      ORDER BY 1 LIMIT 1`,
    [name],
  );
  const found = rows[0];
  if (found === undefined)
    return refused(`this region has no function ${name}(jsonb, jsonb): create it in every region, and name its schema`);
  const [sql, volatility, returnsJsonb, allowed] = found;
  if (returnsJsonb !== 't') return refused(`${name} does not return jsonb`);
  if (volatility !== 'i')
    return refused(`${name} is not IMMUTABLE: a merge may depend on its arguments alone; ALTER FUNCTION … IMMUTABLE`);
  if (allowed !== 't')
    return refused(`${name} is not for this role: GRANT USAGE ON SCHEMA … and GRANT EXECUTE ON FUNCTION … TO it`);
  return { kind: 'found', sql: sql! };
}

const refused = (detail: string): FoundFunction => ({ kind: 'refused', detail });
