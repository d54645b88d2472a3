import { type ClientBase, DatabaseError } from 'pg';
import type { CatalogReferrer, CatalogTable } from '../catalog/catalog-table.js';
import { ident } from '../catalog/quoting.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';

/**
 * Apply looks at the rows of other tables that refer to this one before it deletes: of tables that are not enrolled, too, for
 * the replica role checks no foreign key. Grants that right, on the referring columns, where it is ours to give.
 */
export async function referrerProblems(
  client: ClientBase,
  table: CatalogTable,
  applyRole: string,
): Promise<EnrolmentProblem[]> {
  const problems: EnrolmentProblem[] = [];
  for (const referrer of table.referrers)
    if (!(await mayRead(client, referrer, applyRole)))
      problems.push(
        problem(
          'referrer_not_readable',
          `${referrer.table} refers to ${table.name} by "${referrer.constraint}", and ${applyRole} may not read it: a delete that arrives could leave its rows behind`,
          `as its owner: ${grantSql(referrer, applyRole)}; with row security, as an administrator: ALTER ROLE ${applyRole} BYPASSRLS`,
        ),
      );
  return problems;
}

/** Has a table come to refer to this one, or ceased to, since that was stored? */
export const referrersDiffer = (stored: StoredSpec, table: CatalogTable): boolean =>
  JSON.stringify(stored.referrers) !== JSON.stringify(table.referrers);

async function mayRead(client: ClientBase, referrer: CatalogReferrer, role: string): Promise<boolean> {
  if (await readable(client, referrer, role)) return true;
  await client.query('SAVEPOINT reading');
  try {
    await client.query(grantSql(referrer, role));
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === '42501')) throw error;
    await client.query('ROLLBACK TO reading');
  }
  return readable(client, referrer, role);
}

const grantSql = ({ table, columns }: CatalogReferrer, role: string): string =>
  `GRANT SELECT (${columns.map(ident).join(', ')}) ON ${table} TO ${ident(role)}`;

async function readable(client: ClientBase, { table, columns }: CatalogReferrer, role: string): Promise<boolean> {
  const { rows } = await client.query<{ readable: boolean }>(
    `SELECT has_schema_privilege($1, c.relnamespace, 'USAGE')
        AND (NOT c.relrowsecurity OR EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND (rolbypassrls OR rolsuper)))
        AND (SELECT bool_and(has_column_privilege($1, c.oid, name, 'SELECT')) FROM unnest($3::text[]) AS name) AS readable
       FROM pg_class c WHERE c.oid = $2::regclass`,
    [role, table, columns],
  );
  return rows[0]!.readable;
}
