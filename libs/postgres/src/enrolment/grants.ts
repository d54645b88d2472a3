import { type ClientBase, DatabaseError } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { ident } from '../catalog/quoting.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';

/** What apply's role lacks on this table, with the SQL that mends it. */
export async function roleProblems(
  client: ClientBase,
  table: CatalogTable,
  applyRole: string,
  replicaRole: boolean,
): Promise<EnrolmentProblem[]> {
  const problems: EnrolmentProblem[] = [];
  if (!replicaRole && (table.userTriggers.length > 0 || table.foreignKeys.length > 0)) {
    const firing = [
      ...table.userTriggers.map((name) => `the trigger "${name}"`),
      ...table.foreignKeys.map((key) => `the foreign key "${key.name}"`),
    ];
    problems.push(
      problem(
        'replica_role_missing',
        `${firing.join(', ')} would run again for applied rows, for ${applyRole} may not set session_replication_role`,
        `as an administrator: GRANT SET ON PARAMETER session_replication_role TO ${applyRole}; then restart the service`,
      ),
    );
  }
  if (table.rowSecurity && !(await bypassesRowSecurity(client, applyRole)))
    problems.push(
      problem(
        'row_security',
        `row security hides rows of ${table.name} from ${applyRole}`,
        `as an administrator: ALTER ROLE ${applyRole} BYPASSRLS`,
      ),
    );
  if (!(await canUseSchema(client, table.schema, applyRole)))
    problems.push(
      problem(
        'schema_not_usable',
        `${applyRole} may not use the schema ${ident(table.schema)}`,
        `as its owner: GRANT USAGE ON SCHEMA ${ident(table.schema)} TO ${applyRole}`,
      ),
    );
  return problems;
}

export const grantTable = async (client: ClientBase, table: CatalogTable, applyRole: string): Promise<void> =>
  void (await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table.name} TO ${ident(applyRole)}`));

export const revokeTable = async (client: ClientBase, table: CatalogTable, applyRole: string): Promise<void> =>
  void (await client.query(`REVOKE ALL ON ${table.name} FROM ${ident(applyRole)}`));

async function bypassesRowSecurity(client: ClientBase, role: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1 AND (rolbypassrls OR rolsuper)', [
    role,
  ]);
  return rowCount === 1;
}

/** Grants it where that is ours to give. */
async function canUseSchema(client: ClientBase, schema: string, role: string): Promise<boolean> {
  if (await usable(client, schema, role)) return true;
  await client.query('SAVEPOINT usage');
  try {
    await client.query(`GRANT USAGE ON SCHEMA ${ident(schema)} TO ${ident(role)}`);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === '42501')) throw error;
    await client.query('ROLLBACK TO usage');
  }
  return usable(client, schema, role);
}

async function usable(client: ClientBase, schema: string, role: string): Promise<boolean> {
  const { rows } = await client.query<{ usable: boolean }>(`SELECT has_schema_privilege($1, $2, 'USAGE') AS usable`, [
    role,
    schema,
  ]);
  return rows[0]!.usable;
}
