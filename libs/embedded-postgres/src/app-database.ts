import type { EmbeddedPostgres } from './embedded-postgres';

/**
 * The database and role that a developer would be given: `app`, password `app`, owner of the database `app`, no superuser.
 * Idempotent, so that `meridian dev` may call it on a data folder from yesterday.
 */
export async function createAppDatabase(server: EmbeddedPostgres): Promise<string> {
  const [known] = await server.query(`SELECT 1 FROM pg_roles WHERE rolname = 'app'`);
  // CREATEROLE: Meridian makes the roles of its own schema.
  if (!known) await server.query(`CREATE ROLE app LOGIN PASSWORD 'app' CREATEROLE`);
  // Apply runs with session_replication_role = replica, which is a superuser's unless granted; handed on to Meridian's role.
  await server.query(`GRANT SET ON PARAMETER session_replication_role TO app WITH GRANT OPTION`);
  const [there] = await server.query(`SELECT 1 FROM pg_database WHERE datname = 'app'`);
  if (!there) await server.createDatabase('app', 'app');
  return server.urlOf('app', 'app', 'app');
}
