import { createHash, createHmac } from 'node:crypto';
import { Client, type ClientBase, DatabaseError } from 'pg';
import { ident, literal } from '../catalog/quoting.js';
import { SetupError } from './setup-error.js';

export interface ApplyRole {
  readonly name: string;
  readonly url: string;
  /** May it set session_replication_role? Else users' triggers fire for applied rows, and tables that have some are refused. */
  readonly replicaRole: boolean;
}

/** Roles belong to the whole server: the database's name keeps two regions on one server apart. */
export const applyRoleName = (database: string): string =>
  `meridian_apply_${createHash('sha256').update(database).digest('hex').slice(0, 10)}`;

const passwordOf = (secret: string): string => createHmac('sha256', secret).update('apply role').digest('base64url');

/**
 * The role that apply logs in as: capture leaves out what it writes, by session_user. Made, or its password set anew (the
 * secret may have changed), at every start.
 */
export async function prepareApplyRole(client: ClientBase, url: string, secret: string): Promise<ApplyRole> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database');
  const database = rows[0]!.database;
  const name = applyRoleName(database);
  const refused = await makeRole(client, name, passwordOf(secret));
  await grantSchema(client, name);
  const applyUrl = withUser(url, name, passwordOf(secret));
  return { name, url: applyUrl, replicaRole: await probe(applyUrl, name, database, refused) };
}

/** Null, or why the role could not be made or altered: it may have been made by an administrator, then it only has to work. */
async function makeRole(client: ClientBase, name: string, password: string): Promise<Error | null> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  const verb = rowCount ? 'ALTER' : 'CREATE';
  try {
    await client.query(`${verb} ROLE ${ident(name)} LOGIN PASSWORD ${literal(password)}`);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42501') return error;
    throw error;
  }
  try {
    await grantReplicaRole(client, name);
  } catch (error) {
    // Not ours to give. An administrator may have granted it: the probe tells.
    if (!(error instanceof DatabaseError && error.code === '42501')) throw error;
  }
  return null;
}

/**
 * Grants on parameters are the whole server's, in one row of its catalog, and no lock of ours reaches across databases: whoever
 * comes second when several regions of one server start fails on that row (seen), and finds it changed when it tries again.
 */
async function grantReplicaRole(client: ClientBase, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`GRANT SET ON PARAMETER session_replication_role TO ${ident(name)}`);
      return;
    } catch (error) {
      const collided = error instanceof DatabaseError && COLLISIONS.has(error.code ?? '');
      if (!collided || attempt === MOST_GRANTS) throw error;
    }
  }
}

/** Made beside us; "tuple concurrently updated" and "deleted", which have no code of their own. */
const COLLISIONS: ReadonlySet<string> = new Set(['23505', 'XX000']);
/** Each collision is another region's grant. */
const MOST_GRANTS = 50;

async function grantSchema(client: ClientBase, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (!rowCount) return;
  const role = ident(name);
  await client.query(`
GRANT USAGE ON SCHEMA meridian TO ${role};
GRANT ALL ON ALL TABLES IN SCHEMA meridian TO ${role};
GRANT ALL ON ALL SEQUENCES IN SCHEMA meridian TO ${role};
ALTER DEFAULT PRIVILEGES IN SCHEMA meridian GRANT ALL ON TABLES TO ${role}`);
}

/** Logs in as apply will. Resolves to whether the replica role is to be had. */
async function probe(url: string, name: string, database: string, refused: Error | null): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw new SetupError(
      'apply_role',
      `the role ${name} cannot log in${refused === null ? '' : ` and this role may not make it (${refused.message})`}. As an ` +
        `administrator: ALTER ROLE <the role of postgres.url> CREATEROLE; or: CREATE ROLE ${name} LOGIN PASSWORD '<base64url of ` +
        `HMAC-SHA256(secret, "apply role")>'; GRANT CONNECT ON DATABASE ${ident(database)} TO ${name}; GRANT SET ON PARAMETER session_replication_role TO ${name}`,
      { cause },
    );
  }
  try {
    await client.query('SET session_replication_role = replica');
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42501') return false;
    throw error;
  } finally {
    await client.end();
  }
}

function withUser(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = encodeURIComponent(user);
  changed.password = encodeURIComponent(password);
  // A URL may name the user as a parameter, which would win.
  changed.searchParams.delete('user');
  changed.searchParams.delete('password');
  return changed.href;
}
