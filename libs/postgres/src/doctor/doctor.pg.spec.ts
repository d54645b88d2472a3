import { regionId, type RegionId } from '@meridian/core';
import { Enrolment } from '../enrolment/enrolment.js';
import { type TestRegion, testRegion } from '../region.builder.js';
import { Doctor, type DoctorOptions, type Examination } from './doctor.js';
import type { Finding } from './finding.js';
import { blockerFinding } from './sessions.js';

describe('the doctor', () => {
  let eu: TestRegion;
  let applyRole: string;
  const peers = [regionId('us')];
  beforeAll(async () => {
    eu = await testRegion();
    applyRole = new URL(eu.applyUrl).username;
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, note text)', 'item');
  });
  afterAll(() => eu.close());

  const examine = (options: Partial<DoctorOptions> = {}): Promise<Examination> =>
    new Doctor({ url: eu.url, region: eu.region, applyRole, peers, replicaRole: true, ...options }).examine();
  /** The server of the tests does not flush: that much is always found. */
  const found = async (options: Partial<DoctorOptions> = {}): Promise<Finding[]> =>
    (await examine(options)).findings.filter((f) => f.code !== 'fsync_off' && f.code !== 'log_size');
  const codes = async (options: Partial<DoctorOptions> = {}): Promise<string[]> =>
    (await found(options)).map((f) => f.code);

  it('finds nothing in a region that is well, and says how large the log is', async () => {
    const { findings, tables } = await examine();
    expect(findings.map((f) => f.code)).toEqual(['fsync_off', 'log_size']);
    expect(findings[1]!.detail).toMatch(/^\d+ kB in \d partitions$/);
    await eu.user.query('INSERT INTO item VALUES (60)');
    const { findings: later } = await examine();
    expect(later[1]!.detail).toMatch(/ partitions, the oldest, change_0, with changes since 20\d\d-.*Z$/);
    await eu.user.query('DELETE FROM item');
    expect(tables).toEqual([{ table: 'public.item', state: 'enrolled', reasons: [] }]);
  });

  it('names a prepared and forgotten transaction, and a session that is idle in one, as PostgreSQL ends them', async () => {
    const other = await eu.connect();
    await other.query(`BEGIN; INSERT INTO item VALUES (70); PREPARE TRANSACTION 'it''s forgotten'`);
    await other.query('BEGIN; INSERT INTO item VALUES (71)');
    const [pid] = (await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    expect(await codes()).toEqual([]);
    const [prepared, idle] = await found({ longTransactionMs: 0 });
    expect(prepared).toMatchObject({ code: 'prepared_transaction', severity: 'warning' });
    expect(idle).toMatchObject({ code: 'idle_in_transaction', about: `session ${pid!.pid}` });
    await other.query('COMMIT');
    await eu.user.query(prepared!.cure!.split('; or: ')[1]!);
    expect(await codes({ longTransactionMs: 0 })).toEqual([]);
  });

  it('tells whom apply waits for', () => {
    const blocker = { kind: 'prepared', gid: 'gone', owner: 'ann', heldMs: 4_000 } as const;
    expect(blockerFinding(blocker)).toMatchObject({
      severity: 'error',
      cure: expect.stringContaining(`'gone'`) as string,
    });
  });

  it('warns of synchronous_commit that is off, and refuses what may not be written', async () => {
    const database = new URL(eu.url).pathname.slice(1);
    await eu.user.query(`ALTER DATABASE ${database} SET synchronous_commit = off`);
    expect(await codes()).toEqual(['synchronous_commit_off']);
    await eu.user.query(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    expect(await found()).toMatchObject([{ severity: 'error', code: 'read_only_server' }]);
    await eu.user.query(`ALTER DATABASE ${database} RESET ALL`);
  });

  it('says what a database answered that cannot be asked', async () => {
    const url = new URL(eu.url);
    url.pathname = '/nowhere';
    const [finding] = await found({ url: url.href });
    expect(finding).toMatchObject({ code: 'database_unavailable', detail: 'database "nowhere" does not exist' });
  });

  it('says that sessions of others are hidden from it, and what lets it see them', async () => {
    const role = `meridian_nobody_${process.pid}`;
    await eu.user.query(`CREATE ROLE ${role} LOGIN PASSWORD 'n'; GRANT USAGE ON SCHEMA meridian TO ${role};
      GRANT SELECT ON ALL TABLES IN SCHEMA meridian TO ${role}`);
    const url = new URL(eu.url);
    [url.username, url.password] = [role, 'n'];
    const findings = await found({ url: url.href, longTransactionMs: 0 });
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'sessions_hidden', cure: expect.stringContaining(`TO ${role}`) as string }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ code: 'table_not_replicable', about: 'public.item' }));
    await eu.user.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  describe('of tables', () => {
    const enrolment = (): Enrolment => new Enrolment({ url: eu.url, region: eu.region, applyRole, replicaRole: true });
    const table = async (name: string, options: Partial<DoctorOptions> = {}) =>
      (await examine(options)).tables.find((t) => t.table === `public.${name}`);

    it('tells which can be enrolled, and for the others the reasons that PUT gives', async () => {
      await eu.user.query(`
        CREATE TABLE ready (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE ready_low PARTITION OF ready FOR VALUES FROM (0) TO (10);
        CREATE TABLE bare (a float8 UNIQUE, EXCLUDE (a WITH =)); CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
        CREATE VIEW seen AS SELECT 1; CREATE EXTENSION IF NOT EXISTS pg_stat_statements`);
      expect((await examine()).tables.map((t) => [t.table, t.state])).toEqual([
        ['public.bare', 'refused'],
        ['public.fleeting', 'refused'],
        ['public.item', 'enrolled'],
        ['public.ready', 'can_be_enrolled'],
      ]);
      for (const name of ['bare', 'fleeting'])
        await expect(enrolment().prepare({ schema: 'public', name }, {})).rejects.toMatchObject({
          problems: (await table(name))!.reasons,
        });
      expect(await codes()).toEqual([]);
      await eu.user.query('DROP TABLE ready, bare, fleeting');
    });

    it('names all that would run again for a role that may not be a replica, and row security it may not bypass', async () => {
      const role = `meridian_doctor_${process.pid}`;
      await eu.user.query(`
        CREATE TABLE guarded (id int PRIMARY KEY, item int REFERENCES item);
        CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER one BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
        CREATE TRIGGER two AFTER INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
        ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE SCHEMA apart; CREATE TABLE apart.t (id int PRIMARY KEY);
        CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA meridian TO ${role};
        GRANT ALL ON ALL TABLES IN SCHEMA meridian TO ${role}; GRANT SELECT ON item TO ${role}`);
      const options = { applyRole: role, replicaRole: false };
      const { reasons } = (await table('guarded', options))!;
      expect(reasons.map((r) => r.code)).toEqual(['replica_role_missing', 'row_security']);
      expect(reasons[0]!.message).toContain(
        'the trigger "one", the trigger "two", the foreign key "guarded_item_fkey"',
      );
      const findings = await found(options);
      expect(findings.map((f) => [f.code, f.about])).toEqual([
        ['replica_role_missing', `role ${role}`],
        ['table_rights', 'public.item'],
        ['capture_drift', 'public.item'],
        ['referrer_not_enrolled', 'public.guarded'],
      ]);
      await eu.user.query(`ALTER ROLE ${role} BYPASSRLS`);
      await eu.user.query(findings[1]!.cure!);
      expect((await table('guarded', { applyRole: role }))!.reasons).toEqual([]);
      // It looks whether it could give a right, and gives none.
      expect((await eu.user.query(`SELECT has_schema_privilege('${role}', 'apart', 'USAGE') AS may`)).rows).toEqual([
        { may: false },
      ]);
      await eu.user.query(`DROP TABLE guarded, apart.t; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });

    it('tells of enrolled ones that wait, are altered, not captured, or gone', async () => {
      for (const name of ['waits', 'altered', 'missed', 'gone'])
        await eu.enrol(`CREATE TABLE ${name} (id int PRIMARY KEY, x text)`, name);
      await eu.user.query(`
        UPDATE meridian.enrolled_table SET state = 'waiting', reason = 'no colour' WHERE rel = 'public.waits';
        INSERT INTO meridian.waiting_change VALUES (1, 'public.waits', 'us', 1), (2, 'public.waits', 'us', 1);
        ALTER TABLE altered DROP CONSTRAINT altered_pkey;
        ALTER TABLE missed DISABLE TRIGGER meridian_insert; DROP TABLE gone`);
      expect((await found()).map((f) => [f.severity, f.code, f.about])).toEqual([
        ['error', 'table_not_replicable', 'public.altered'],
        ['warning', 'capture_drift', 'public.missed'],
        ['error', 'table_waits', 'public.waits'],
        ['error', 'table_missing', 'public.gone'],
      ]);
      expect((await found())[2]!.detail).toMatch(/^2 changes wait here.*no colour$/);
      for (const name of ['waits', 'altered', 'missed', 'gone']) await enrolment().remove(`public.${name}` as never);
      expect(await codes()).toEqual([]);
    });

    it('counts parked rows, by what they wait for', async () => {
      await eu.user.query(`INSERT INTO meridian.parked (rel, pk, image, claims, reason) VALUES
        ('public.item', '["1"]', '{}', '{}', '{"kind":"unique_key"}'), ('public.item', '["2"]', '{}', '{}', '{"kind":"foreign_key"}')`);
      expect(await found()).toMatchObject([
        {
          code: 'rows_parked',
          about: 'public.item',
          detail: expect.stringContaining('1 miss their parent, of 1 another row has the unique value') as string,
        },
      ]);
      await eu.user.query('DELETE FROM meridian.parked');
    });
  });

  it('names tables whose rows are about to be too old, and has them frozen', async () => {
    // Far more than other tests on this server use up meanwhile: each inner block that writes is a transaction id.
    await eu.user.query(`CREATE TABLE burnt (n int); DO $$ BEGIN FOR n IN 1..5000 LOOP
      BEGIN INSERT INTO burnt VALUES (n); EXCEPTION WHEN others THEN NULL; END; END LOOP; END $$; DROP TABLE burnt`);
    const old = await found({ oldXidAge: 4_000 });
    expect(old).toContainEqual(expect.objectContaining({ code: 'transaction_ids_old', about: 'public.item' }));
    expect(old).toContainEqual(expect.objectContaining({ code: 'transaction_ids_old', about: 'meridian.change_0' }));
    for (const { sql } of old) for (const statement of sql!) await eu.user.query(statement);
    expect(await codes({ oldXidAge: 4_000 })).toEqual([]);
  });

  it('names a slot that nobody reads from', async () => {
    const slot = `meridian_test_${process.pid}`;
    await eu.user.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
    const abandoned = async () =>
      (await found({ retainedBytes: -1 })).find(
        (f) => f.code === 'replication_slot_abandoned' && f.about.endsWith(slot),
      );
    for (const statement of (await abandoned())!.sql!) await eu.user.query(statement);
    expect(await abandoned()).toBeUndefined();
  });

  it('names the region for which the log is kept', async () => {
    await eu.user.query(`
      UPDATE meridian.applied SET seq = 3 WHERE origin = 'eu';
      INSERT INTO meridian.tick SELECT 'eu', n, NULL, '{}', 0, 0, '', n::text, 0, now() - interval '1 h' FROM generate_series(1, 3) n;
      INSERT INTO meridian.applied (origin, seq, digest, deps, stamp, wall) VALUES ('us', 9, '', '{"eu": 1}', 0, 0)`);
    const both = [...peers, 'ap' as RegionId];
    expect(await found()).toMatchObject([
      {
        code: 'log_held_back',
        detail: expect.stringContaining("us is not known to have eu's ticks from 2 on") as string,
      },
    ]);
    expect(await found({ peers: both })).toMatchObject([
      { detail: expect.stringContaining("ap is not known to have eu's ticks from 1 on") as string },
    ]);
    await eu.user.query(`UPDATE meridian.applied SET deps = '{"eu": 3}' WHERE origin = 'us'`);
    expect(await codes()).toEqual([]);
  });
});
