import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@meridian/embedded-postgres';

declare global {
  var meridianTestPostgres: { server: EmbeddedPostgres; folder: string } | undefined;
}

/** One server for the whole run: a database per test file is cheap (see templateDatabase), a server is not. */
export default async function postgresUp(): Promise<void> {
  // A server of the developer's own, any version from 15, may stand in.
  if (process.env['MERIDIAN_TEST_PG_URL'] !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'meridian-test-'));
  const server = await EmbeddedPostgres.start({ dataDir: join(folder, 'data'), durable: false });
  globalThis.meridianTestPostgres = { server, folder };
  process.env['MERIDIAN_TEST_PG_URL'] = server.url;
}
