import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createAppDatabase, EmbeddedPostgres } from '.';

describe('embedded PostgreSQL', () => {
  let folder: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'meridian-embedded-'));
    server = await EmbeddedPostgres.start({ dataDir: join(folder, 'data') });
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('is version 18, durable, and ready for logical decoding and prepared transactions', async () => {
    const names = ['fsync', 'synchronous_commit', 'wal_level', 'max_prepared_transactions', 'max_connections'];
    const rows = await server.query('SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', [names]);
    expect(Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      wal_level: 'logical',
      max_prepared_transactions: '20',
      max_connections: '200',
    });
    expect(await server.query('SHOW server_version')).toEqual([
      { server_version: expect.stringMatching(/^18\./) as string },
    ]);
  });

  it('keeps what was committed when it is killed, and forgets what was not', async () => {
    await server.query('CREATE TABLE kept (id int)');
    const open = new Client({ connectionString: server.url });
    // Its connection breaks, as it must.
    open.on('error', () => undefined);
    await open.connect();
    await server.query('INSERT INTO kept VALUES (1)');
    await open.query('BEGIN; INSERT INTO kept VALUES (2)');
    await server.kill9();
    await server.restart();
    expect(await server.query('SELECT id FROM kept')).toEqual([{ id: 1 }]);
  });

  it('takes its data folder back from a server that outlived its Meridian', async () => {
    const second = await EmbeddedPostgres.start({ dataDir: join(folder, 'data'), port: server.port });
    expect(await second.query('SELECT id FROM kept')).toEqual([{ id: 1 }]);
    await second.stop();
    await server.restart();
  });

  it('gives a developer the role and database app, twice without complaint', async () => {
    await createAppDatabase(server);
    const url = await createAppDatabase(server);
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('CREATE TABLE own (id int)');
      await client.query('CREATE ROLE made_by_app');
      await client.query('GRANT SET ON PARAMETER session_replication_role TO made_by_app');
      await client.query('SET session_replication_role = replica');
    } finally {
      await client.end();
    }
  });

  it('refuses a wrong password, for loopback is shared with every user of the machine', async () => {
    const stranger = new Client({ connectionString: server.urlOf('postgres', 'postgres', 'guess') });
    await expect(stranger.connect()).rejects.toThrow(/password authentication failed/);
  });

  it('says what PostgreSQL said when it cannot start', async () => {
    const start = EmbeddedPostgres.start({ dataDir: join(folder, 'taken'), port: server.port, durable: false });
    await expect(start).rejects.toThrow(/Address already in use/);
  });
});
