import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  /** As superuser. */
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * A fresh, empty database on the run's PostgreSQL (see infra/tests/postgres-up.ts), for one test file:
 *
 *   let db: TestDatabase;
 *   beforeAll(async () => (db = await templateDatabase()));
 *   afterAll(() => db.drop());
 *
 * `prepare` fills it, as migrations do. Its result is kept as a template under `preparedAs`, so that the second file
 * that asks for the same gets a copy of files (some 50 ms) instead of running it again.
 */
export async function templateDatabase(
  preparedAs?: string,
  prepare?: (url: string) => Promise<void>,
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template =
    preparedAs === undefined || prepare === undefined ? 'template0' : await prepared(preparedAs, prepare);
  await asSuperuser((client) => client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`));
  return {
    url: urlOf(name),
    drop: () => asSuperuser(async (client) => void (await client.query(`DROP DATABASE "${name}" WITH (FORCE)`))),
  };
}

async function prepared(name: string, prepare: (url: string) => Promise<void>): Promise<string> {
  const template = `template_${name}`;
  await asSuperuser(async (client) => {
    // Two workers may ask at once: the second waits here until the first has made it. Released with the session.
    await client.query(`SELECT pg_advisory_lock(hashtext($1))`, [template]);
    const { rowCount } = await client.query(`SELECT 1 FROM pg_database WHERE datname = $1`, [template]);
    if (rowCount) return;
    const making = `${template}_making`;
    await client.query(`DROP DATABASE IF EXISTS "${making}" WITH (FORCE)`);
    await client.query(`CREATE DATABASE "${making}" TEMPLATE template0`);
    await prepare(urlOf(making));
    // Only a finished one bears the name. It must have no sessions left: prepare closes its own.
    await client.query(`ALTER DATABASE "${making}" RENAME TO "${template}"`);
  });
  return template;
}

function serverUrl(): string {
  const url = process.env['MERIDIAN_TEST_PG_URL'];
  if (url === undefined)
    throw new Error('MERIDIAN_TEST_PG_URL is not set: name the file *.pg.spec.ts, and run `npm run test:pg`');
  return url;
}

function urlOf(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  return url.href;
}

async function asSuperuser<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
