import { regionId } from '@meridian/core';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { applyRoleName } from './apply-role.js';
import { type PreparedDatabase, prepareDatabase } from './prepare-database.js';

describe('prepareDatabase', () => {
  let db: TestDatabase;
  const owner = `meridian_test_owner_${process.pid}`;
  const prepare = (url = db.url, more: object = {}): Promise<PreparedDatabase> =>
    prepareDatabase({ url, secret: 'secret', cluster: 'shop', region: regionId('us'), ...more });
  async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await untilAlone(() => client.query<Record<string, unknown>>(sql))).rows;
    } finally {
      await client.end();
    }
  }
  /** All grants on a parameter are one row of the server's catalog, and other test files prepare databases on this server. */
  async function untilAlone<T>(grant: () => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await grant();
      } catch (error) {
        if ((error as Error).message !== 'tuple concurrently updated') throw error;
      }
  }
  const databaseOf = (url: string): string => new URL(url).pathname.slice(1);
  /** An owner that is no superuser, as a managed PostgreSQL gives. */
  async function ownerUrl(attributes: string): Promise<string> {
    await query(
      db.url,
      `CREATE ROLE ${owner} LOGIN PASSWORD 'o' ${attributes}; ALTER DATABASE ${databaseOf(db.url)} OWNER TO ${owner}; ALTER SCHEMA public OWNER TO ${owner}`,
    );
    const url = new URL(db.url);
    url.username = owner;
    url.password = 'o';
    return url.href;
  }

  beforeEach(async () => {
    db = await templateDatabase();
  });
  afterEach(async () => {
    const database = databaseOf(db.url);
    await query(db.url, `ALTER DATABASE ${database} OWNER TO postgres`);
    for (const role of [applyRoleName(database), owner]) {
      const [found] = await query(db.url, `SELECT FROM pg_roles WHERE rolname = '${role}'`);
      if (found !== undefined) await query(db.url, `DROP OWNED BY ${role} CASCADE`);
    }
    await db.drop();
    await query(process.env['MERIDIAN_TEST_PG_URL']!, `DROP ROLE IF EXISTS ${applyRoleName(database)}`);
    await query(process.env['MERIDIAN_TEST_PG_URL']!, `DROP ROLE IF EXISTS ${owner}`);
  });

  it('makes the schema, the region’s rows and a role that apply can log in as', async () => {
    const prepared = await prepare();
    expect(prepared).toMatchObject({ applyRole: applyRoleName(databaseOf(db.url)), replicaRole: true });
    expect(await query(prepared.applyUrl, 'SELECT session_user AS me, name, cluster FROM meridian.region')).toEqual([
      { me: prepared.applyRole, name: 'us', cluster: 'shop' },
    ]);
    expect(await query(db.url, `SELECT origin, seq, digest FROM meridian.applied`)).toEqual([
      { origin: 'us', seq: '0', digest: '' },
    ]);
    expect(await query(db.url, `SELECT seq, snapshot IS NOT NULL AS cut FROM meridian.tick`)).toEqual([
      { seq: '0', cut: true },
    ]);
    expect(await query(db.url, `SELECT rel FROM meridian.enrolled_table ORDER BY rel`)).toEqual([
      { rel: 'meridian.conflict' },
      { rel: 'meridian.decision' },
      { rel: 'meridian.idempotency' },
      { rel: 'meridian.share' },
      { rel: 'meridian.triage' },
    ]);
  });

  it('takes the grant again that another region of the same server made at the same moment', async () => {
    await prepare();
    const role = applyRoleName(databaseOf(db.url));
    const other = new Client({ connectionString: db.url });
    await other.connect();
    await untilAlone(() =>
      other.query(`ROLLBACK; BEGIN; REVOKE SET ON PARAMETER session_replication_role FROM ${role}`),
    );
    const prepared = prepare();
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'GRANT SET ON PARAMETER%${role}%'`;
    while ((await query(db.url, waiting)).length === 0);
    await other.query('COMMIT');
    expect(await prepared).toMatchObject({ replicaRole: true });
    await other.end();
  });

  it('changes nothing the second time, and several at once do not get into each other’s way', async () => {
    const all = await Promise.all([prepare(), prepare(), prepare()]);
    const before = await query(db.url, 'SELECT * FROM meridian.tick, meridian.region');
    expect(await prepare()).toEqual(all[0]);
    expect(await query(db.url, 'SELECT * FROM meridian.tick, meridian.region')).toEqual(before);
  });

  it('works for an owner that is no superuser, and says that the replica role is not to be had', async () => {
    const url = await ownerUrl('CREATEROLE');
    expect(await prepare(url)).toMatchObject({ replicaRole: false });
    await query(db.url, `GRANT SET ON PARAMETER session_replication_role TO ${applyRoleName(databaseOf(db.url))}`);
    expect(await prepare(url)).toMatchObject({ replicaRole: true });
  });

  it('gives the replica role when its owner was allowed to hand it on', async () => {
    const url = await ownerUrl('CREATEROLE');
    await query(db.url, `GRANT SET ON PARAMETER session_replication_role TO ${owner} WITH GRANT OPTION`);
    expect(await prepare(url)).toMatchObject({ replicaRole: true });
  });

  it('tells an owner that may not make roles what an administrator has to run', async () => {
    await expect(prepare(await ownerUrl(''))).rejects.toMatchObject({
      code: 'apply_role',
      message: expect.stringContaining('CREATEROLE') as string,
    });
  });

  it('follows a secret that has changed', async () => {
    const first = await prepare();
    const second = await prepare(db.url, { secret: 'another' });
    await expect(query(first.applyUrl, 'SELECT 1'))
      .rejects.toThrow(/password|authentication/)
      .catch(() => undefined);
    expect(second.applyUrl).not.toBe(first.applyUrl);
    expect(await query(second.applyUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses a database that is another region’s or another cluster’s', async () => {
    await prepare();
    await expect(prepare(db.url, { region: regionId('eu') })).rejects.toMatchObject({
      code: 'other_region',
      message: 'this database is the region "us", not "eu": check postgres.url',
    });
    await expect(prepare(db.url, { cluster: 'bank' })).rejects.toMatchObject({ code: 'other_cluster' });
  });

  it('refuses a database where transactions are read-only, or whose encoding is not UTF8', async () => {
    await query(db.url, `ALTER DATABASE ${databaseOf(db.url)} SET default_transaction_read_only = on`);
    await expect(prepare()).rejects.toMatchObject({ code: 'read_only_server' });
    await query(
      process.env['MERIDIAN_TEST_PG_URL']!,
      `ALTER DATABASE ${databaseOf(db.url)} RESET default_transaction_read_only`,
    );
    const latin = `${databaseOf(db.url)}_latin1`;
    await query(db.url, `CREATE DATABASE ${latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    const url = new URL(db.url);
    url.pathname = `/${latin}`;
    await expect(prepare(url.href)).rejects.toMatchObject({ code: 'not_utf8' });
    await query(db.url, `DROP DATABASE ${latin}`);
  });

  it('captures its own replicated tables', async () => {
    await prepare();
    await query(db.url, 'CREATE TABLE meridian.change_all PARTITION OF meridian.change DEFAULT');
    await query(db.url, `INSERT INTO meridian.idempotency VALUES ('k', 'r', 200, '{}', 'b', '2026-01-02 03:04:05+00')`);
    expect(await query(db.url, `SELECT rel, op, pk::text, patch::text FROM meridian.change`)).toEqual([
      {
        rel: 'meridian.idempotency',
        op: 'i',
        pk: '["k"]',
        patch:
          '{"key":"k","request":"r","status":"200","headers":"{}","body":"b","created_at":"2026-01-02 03:04:05+00"}',
      },
    ]);
  });
});
