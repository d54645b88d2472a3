import type { ClientBase } from 'pg';
import { ident } from '../catalog/quoting.js';
import { finding, type Finding } from './finding.js';

interface Rights {
  readonly login: boolean;
  readonly replica: boolean;
  readonly schema: boolean;
}

const RIGHTS = /* sql */ `
SELECT rolcanlogin AS login, has_parameter_privilege(oid, 'session_replication_role', 'SET') AS replica,
       has_schema_privilege(oid, 'meridian', 'USAGE') AS schema
  FROM pg_roles WHERE rolname = $1`;

/** A list of rights asks for any of them, hence one by one. */
const TABLES_WITHOUT = /* sql */ `
SELECT t.rel FROM meridian.enrolled_table t CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r(name)
 WHERE NOT has_table_privilege($1::name, to_regclass(t.rel)::oid, r.name) GROUP BY t.rel ORDER BY t.rel`;

/** What the role lacks that apply logs in as. `replicaRole`: what was found when the service started. */
export async function roleFindings(client: ClientBase, applyRole: string, replicaRole: boolean): Promise<Finding[]> {
  const { rows } = await client.query<Rights>(RIGHTS, [applyRole]);
  const [rights] = rows;
  if (rights === undefined || !rights.login || !rights.schema)
    return [
      finding(
        'error',
        'apply_role',
        `role ${applyRole}`,
        `apply logs in as it, and it ${rights === undefined ? 'does not exist' : rights.login ? 'may not use the schema meridian' : 'may not log in'}`,
        'restart the service, which makes the role and gives it its rights',
      ),
    ];
  const without = await client.query<{ rel: string }>(TABLES_WITHOUT, [applyRole]);
  return [
    ...replicaFindings(applyRole, rights.replica, replicaRole),
    ...without.rows.map((t) => withoutRights(t.rel, applyRole)),
  ];
}

function replicaFindings(applyRole: string, granted: boolean, atStart: boolean): Finding[] {
  const about = `role ${applyRole}`;
  if (!granted)
    return [
      finding(
        atStart ? 'error' : 'warning',
        'replica_role_missing',
        about,
        'it may not set session_replication_role: triggers and foreign keys would run again for applied rows, so tables that have some are refused',
        `as an administrator: GRANT SET ON PARAMETER session_replication_role TO ${ident(applyRole)}; then restart the service`,
        { sql: [`GRANT SET ON PARAMETER session_replication_role TO ${ident(applyRole)}`] },
      ),
    ];
  if (atStart) return [];
  const late = 'it may set session_replication_role now, and could not when the service started';
  return [finding('info', 'replica_role_late', about, late, 'restart the service')];
}

const withoutRights = (table: string, applyRole: string): Finding =>
  finding(
    'error',
    'table_rights',
    table,
    `${applyRole} may not read and write it: its changes cannot be applied here`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${ident(applyRole)}`,
    { sql: [`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${ident(applyRole)}`] },
  );
