import type { RegionId } from '@meridian/core';
import { Client, DatabaseError } from 'pg';
import { prepareSystemTables } from '../enrolment/system-tables.js';
import { prepareApplyRole } from './apply-role.js';
import { MeridianDataSource } from './meridian-data-source.js';
import { prepareRegionRow, refuseOther } from './region-row.js';
import { checkServer } from './server-checks.js';
import { SetupError } from './setup-error.js';

export interface DatabaseSetup {
  readonly url: string;
  readonly secret: string;
  readonly cluster: string;
  readonly region: RegionId;
}

export interface PreparedDatabase {
  readonly applyRole: string;
  readonly applyUrl: string;
  /** False: tables with triggers or foreign keys are refused at enrolment. */
  readonly replicaRole: boolean;
}

/**
 * Brings an existing database to where a region's service can start on it: schema, migrations, the apply role, the region's
 * own rows, capture of the system tables. Idempotent; several instances may start at once.
 */
export async function prepareDatabase(setup: DatabaseSetup): Promise<PreparedDatabase> {
  const client = new Client({ connectionString: setup.url, application_name: 'meridian' });
  await client.connect();
  try {
    await checkServer(client, setup.url);
    await client.query(`SELECT pg_advisory_lock(hashtextextended('meridian setup', 0))`);
    await makeSchema(client, setup);
    await migrate(setup.url);
    const role = await prepareApplyRole(client, setup.url, setup.secret);
    await prepareRegionRow(client, { cluster: setup.cluster, name: setup.region, applyRole: role.name });
    await prepareSystemTables(client, setup.region, role.name);
    return { applyRole: role.name, applyUrl: role.url, replicaRole: role.replicaRole };
  } finally {
    // The lock goes with the session.
    await client.end();
  }
}

async function makeSchema(client: Client, setup: DatabaseSetup): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; region: boolean; user: string; database: string }>(`
SELECT to_regnamespace('meridian') IS NOT NULL AS schema, to_regclass('meridian.region') IS NOT NULL AS region,
       quote_ident(current_user) AS user, quote_ident(current_database()) AS database`);
  const there = rows[0]!;
  // Before migrating somebody else's region.
  if (there.region) await refuseOther(client, { cluster: setup.cluster, name: setup.region });
  if (there.schema) return;
  try {
    await client.query('CREATE SCHEMA meridian');
  } catch (cause) {
    if (!(cause instanceof DatabaseError && cause.code === '42501')) throw cause;
    throw new SetupError(
      'no_rights',
      `the role ${there.user} may not make the schema meridian. As the database's owner: GRANT CREATE ON DATABASE ${there.database} TO ${there.user}`,
      { cause },
    );
  }
}

async function migrate(url: string): Promise<void> {
  const source = new MeridianDataSource(url);
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}
