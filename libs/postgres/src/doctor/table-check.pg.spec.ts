import { regionId } from '@meridian/core';
import { Client } from 'pg';
import { type TestRegion, testRegion } from '../region.builder.js';
import { Doctor, type DoctorOptions } from './doctor.js';
import type { TableFinding } from './table/table-finding.js';

describe('the check of a table', () => {
  let us: TestRegion;
  let applyRole: string;
  beforeAll(async () => {
    us = await testRegion('us');
    applyRole = new URL(us.applyUrl).username;
  });
  afterAll(() => us.close());
  afterEach(() => us.user.query('DELETE FROM meridian.enrolled_table WHERE rel NOT LIKE $1', ['meridian.%']));

  const doctor = (more: Partial<DoctorOptions> = {}): Doctor =>
    new Doctor({
      ...{ url: us.url, region: us.region, applyRole, replicaRole: true },
      ...{ peers: [regionId('eu'), regionId('ap')], ...more },
    });
  const check = async (table: string, policy?: object, more: Partial<DoctorOptions> = {}) =>
    (await doctor(more).checkTable({ schema: 'public', name: table }, policy))!;
  const found = async (table: string, policy?: object, more: Partial<DoctorOptions> = {}) =>
    (await check(table, policy, more)).findings;
  const codes = async (table: string, policy?: object): Promise<string[]> =>
    (await found(table, policy)).map((f) => f.code);
  const make = (sql: string): Promise<unknown> => us.user.query(sql);

  interface Expected extends Partial<TableFinding> {
    readonly code: string;
    /** Which of the alternatives is run, by a word of its text; left out: the cure itself. */
    readonly by?: string;
  }

  /** It is found, its statements run as they are, and it is found no more. */
  async function isCured(
    table: string,
    { by, ...expected }: Expected,
    policy?: object,
    more: Partial<DoctorOptions> = {},
    run: (sql: string) => Promise<unknown> = make,
  ): Promise<TableFinding> {
    const before = (await found(table, policy, more)).find((f) => f.code === expected.code);
    expect(before).toMatchObject(expected);
    const offered = by === undefined ? before!.cure : before!.cure.alternatives!.find((a) => a.text.includes(by))!;
    expect(offered.sql!.length).toBeGreaterThan(0);
    for (const statement of offered.sql!) await run(statement);
    expect((await found(table, policy, more)).map((f) => f.code)).not.toContain(expected.code);
    return before!;
  }

  it('finds nothing wrong with a plain table, before and after it is enrolled, and knows when there is none', async () => {
    await make('CREATE TABLE plain (id uuid PRIMARY KEY, note text)');
    expect(await check('plain')).toMatchObject({ table: 'public.plain', state: 'can_be_enrolled', findings: [] });
    await us.enrol('SELECT 1', 'plain');
    expect(await check('plain')).toMatchObject({ state: 'enrolled', findings: [] });
    expect(await doctor().checkTable({ schema: 'public', name: 'nothing' })).toBeNull();
  });

  it('changes nothing by looking', async () => {
    await make('CREATE SCHEMA looked; CREATE TABLE looked.at (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)');
    await doctor().checkTable({ schema: 'looked', name: 'at' });
    const { rows } = await us.user.query<object>(
      `SELECT has_schema_privilege($1, 'looked', 'USAGE') AS may, is_called FROM looked.at_id_seq`,
      [applyRole],
    );
    expect(rows).toEqual([{ may: false, is_called: false }]);
  });

  describe('of keys', () => {
    it('offers a primary key: one that is there, or a column of UUIDs or of numbers', async () => {
      await make('CREATE TABLE "Bare ""T" (code text NOT NULL UNIQUE, id text)');
      const cured = await isCured('Bare "T', { code: 'no_primary_key', severity: 'error' });
      expect(cured.cure.sql).toEqual(['ALTER TABLE public."Bare ""T" ADD PRIMARY KEY ("code")']);
      for (const by of ['UUIDs', 'numbers']) {
        await make('CREATE TABLE heap (id text, n int); INSERT INTO heap VALUES (NULL, 1), (NULL, 2)');
        await isCured('heap', by === 'UUIDs' ? { code: 'no_primary_key' } : { code: 'no_primary_key', by });
        expect((await us.user.query('SELECT FROM heap WHERE heap_id IS NOT NULL')).rowCount).toBe(2);
        await make('DROP TABLE heap');
      }
    });

    it('makes UUIDs of version 7 in SQL where the server does not', async () => {
      const { uuidv7 } = await import('./table/uuidv7.js');
      const { call, sql } = uuidv7('public', 170_000);
      for (const statement of sql) await make(statement);
      const { rows } = await us.user.query<{ version: number; variant: string; off: number; ids: number }>(`
        SELECT uuid_extract_version(min(id::text)::uuid) AS version, substr(min(id::text), 20, 1) ~ '[89ab]' AS variant, count(DISTINCT id)::int AS ids,
               abs(extract(epoch FROM clock_timestamp() - uuid_extract_timestamp(max(id::text)::uuid)))::int AS off
          FROM (SELECT ${call} AS id FROM generate_series(1, 1000)) t`);
      expect(rows).toEqual([{ version: 7, variant: true, off: 0, ids: 1000 }]);
    });

    it.each(['int', 'bigint'])('offers for numbers of type %s: UUIDs, ranges, and snowflakes', async (type) => {
      const generated = async (by: string): Promise<TableFinding> => {
        await make(`DROP TABLE IF EXISTS line, sale;
          CREATE TABLE sale (id ${type} GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
          CREATE TABLE line (id uuid PRIMARY KEY, sale ${type} REFERENCES sale ON DELETE CASCADE); CREATE INDEX ON line (sale);
          INSERT INTO sale (note) VALUES ('a'), ('b'); INSERT INTO line VALUES (gen_random_uuid(), 2)`);
        return isCured('sale', { code: 'generated_key', severity: 'info', by });
      };
      const keys = async (): Promise<string[]> => {
        await make(`INSERT INTO sale (note) SELECT 'new' FROM generate_series(1, 3)`);
        await make('INSERT INTO line SELECT gen_random_uuid(), max(id::text)::' + `${await keyType()} FROM sale`);
        const { rows } = await us.user.query<{ id: string }>('SELECT id::text FROM sale ORDER BY note, id');
        return rows.map((r) => r.id);
      };
      const keyType = async (): Promise<string> =>
        (await us.user.query<{ t: string }>(`SELECT pg_typeof(id)::text AS t FROM sale LIMIT 1`)).rows[0]!.t;

      const { meaning } = await generated('UUID');
      expect(meaning).toContain('go on by 16');
      const [first, second, ...uuids] = await keys();
      expect([first, second]).toEqual(['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002']);
      expect(new Set(uuids.map((id) => id[14]))).toEqual(new Set(['7']));

      const ranges = await generated('range');
      // ap, eu, us: the last third is ours, and rows that are there stay.
      const third = (type === 'int' ? 2n ** 31n - 1n : 2n ** 63n - 1n) / 3n;
      expect(await keys()).toEqual(['1', '2', `${third * 2n + 1n}`, `${third * 2n + 2n}`, `${third * 2n + 3n}`]);

      // Run again, it goes on above the rows that are in the range.
      await make(ranges.cure.alternatives!.find((o) => o.text.includes('range'))!.sql[0]!);
      expect((await keys()).at(-1)).toBe(`${third * 2n + 6n}`);

      await generated('the time');
      const [, , ...made] = (await keys()).map(BigInt);
      expect(made.map((id) => (id >> 12n) & 1023n)).toEqual([2n, 2n, 2n]);
      expect(Math.abs(Number(made[0]! >> 22n) + 1_735_689_600_000 - Date.now())).toBeLessThan(60_000);
    });

    it('says of keys that the application makes what that means, and makes them in the database', async () => {
      await make('CREATE TABLE given (id int PRIMARY KEY); INSERT INTO given VALUES (41)');
      await isCured('given', { code: 'assigned_key', severity: 'hint', subject: 'public.given."id"' });
      expect((await us.user.query('INSERT INTO given DEFAULT VALUES RETURNING id')).rows).toEqual([{ id: '42' }]);
    });

    it('mends sequences that cannot be shared, or are at their end', async () => {
      const sequence = async (options: string, type = 'int'): Promise<void> =>
        void (await make(`DROP TABLE IF EXISTS seq;
          CREATE TABLE seq (id ${type} GENERATED BY DEFAULT AS IDENTITY (${options}) PRIMARY KEY, note text)`));
      await sequence('CYCLE');
      await isCured('seq', { code: 'unsupported_key_sequence', severity: 'error' });
      await sequence('INCREMENT BY -1');
      await make(`INSERT INTO seq (note) VALUES ('a'); INSERT INTO seq VALUES (7, 'b')`);
      await isCured('seq', { code: 'unsupported_key_sequence' });
      expect((await us.user.query(`INSERT INTO seq (note) VALUES ('c') RETURNING id`)).rows).toEqual([{ id: 8 }]);
      await sequence('START WITH 1', 'smallint');
      await isCured('seq', { code: 'unsupported_key_sequence' });
      await us.enrol('DROP TABLE seq; CREATE TABLE seq (id serial PRIMARY KEY, note text)', 'seq');
      await make(`SELECT setval('seq_id_seq', 2000000000)`);
      await isCured('seq', { code: 'sequence_near_end', severity: 'warning' });
    });

    it('tells what becomes of the loser of a unique key, and undoes keys that cannot be decided', async () => {
      await make('CREATE TABLE person (id uuid PRIMARY KEY, email text UNIQUE)');
      expect(await found('person')).toMatchObject([
        { code: 'unique_key_may_park', severity: 'info', subject: 'public.person (email)' },
      ]);
      const keys = [
        'UNIQUE (a) DEFERRABLE INITIALLY DEFERRED',
        'EXCLUDE (a WITH =)',
        ['CREATE UNIQUE INDEX ON odd (lower(a))', 'CREATE UNIQUE INDEX ON odd (a) WHERE a > $$x$$'],
      ].flat();
      for (const key of keys) {
        await make('CREATE TABLE odd (id uuid PRIMARY KEY, a text)');
        await make(key.startsWith('CREATE') ? key : `ALTER TABLE odd ADD ${key}`);
        await isCured('odd', { code: key.startsWith('EXCLUDE') ? 'unsupported_constraint' : 'unsupported_unique_key' });
        const { rows } = await us.user.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_index WHERE indrelid = 'odd'::regclass AND NOT indisprimary`,
        );
        expect([key, rows[0]!.n]).toEqual([key, key.startsWith('EXCLUDE') ? 0 : 1]);
        await make('DROP TABLE odd');
      }
    });

    it('gives keys of another type to columns whose equal values differ in their text', async () => {
      for (const type of ['float8', 'text COLLATE loose']) {
        await make(`CREATE COLLATION IF NOT EXISTS loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
          CREATE TABLE inexact (id ${type} PRIMARY KEY)`);
        await isCured('inexact', { code: 'unsupported_key_type', severity: 'error' });
        await make('DROP TABLE inexact');
      }
    });
  });

  describe('of relations', () => {
    it('makes tables that can be enrolled of unlogged ones, and unties those that inherit', async () => {
      await make('CREATE UNLOGGED TABLE fleeting (id uuid PRIMARY KEY)');
      await isCured('fleeting', { code: 'unsupported_relation', severity: 'error' });
      await make('CREATE TABLE elder (id uuid PRIMARY KEY); CREATE TABLE younger (PRIMARY KEY (id)) INHERITS (elder)');
      await isCured('younger', { code: 'unsupported_relation' });
      await make(`CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
        CREATE FOREIGN TABLE away (id int NOT NULL) SERVER nowhere`);
      await make('CREATE TABLE parted (id int) PARTITION BY RANGE (id)');
      await make('ALTER TABLE parted ATTACH PARTITION away FOR VALUES FROM (1) TO (2)');
      await isCured('parted', { code: 'unsupported_relation', message: expect.stringContaining('away') as string });
      for (const [name, what] of [
        ['away', 'a foreign table'],
        ['seen', 'a view'],
      ] as const) {
        await make('CREATE OR REPLACE VIEW seen AS SELECT 1 AS one');
        expect(await found(name)).toMatchObject([
          { code: 'unsupported_relation', message: `public.${name} is ${what}` },
        ]);
      }
    });

    it('names foreign keys to and from tables that are not enrolled, and those without an index', async () => {
      await make(
        `CREATE TABLE parent (id uuid PRIMARY KEY); CREATE TABLE child (id uuid PRIMARY KEY, up uuid REFERENCES parent)`,
      );
      expect(await codes('child')).toEqual(['parent_not_enrolled', 'foreign_key_without_index']);
      expect(await codes('parent')).toEqual(['referrer_not_enrolled', 'foreign_key_without_index']);
      await isCured('parent', { code: 'foreign_key_without_index', severity: 'hint' });
      await us.enrol('SELECT 1', 'parent');
      expect(await codes('child')).toEqual([]);
      expect(await codes('parent')).toEqual(['referrer_not_enrolled']);
      await isCured('parent', { code: 'referrer_not_enrolled', severity: 'warning', by: 'without the foreign key' });
      await make(
        'CREATE TABLE other (id uuid PRIMARY KEY); ALTER TABLE child ADD CONSTRAINT "o""k" FOREIGN KEY (up) REFERENCES other',
      );
      await isCured('child', { code: 'parent_not_enrolled', severity: 'error', by: 'without the foreign key' });
      await make('ALTER TABLE other ADD code text UNIQUE; ALTER TABLE child ADD code text REFERENCES other (code)');
      await isCured('child', { code: 'unsupported_foreign_key' });
    });

    it('hints at wide rows', async () => {
      await make(`CREATE TABLE wide (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), data text STORAGE EXTERNAL);
        INSERT INTO wide (data) SELECT repeat('x', 200000) FROM generate_series(1, 20); ANALYZE wide`);
      expect(await found('wide')).toMatchObject([{ code: 'wide_rows', severity: 'hint' }]);
      // Not by UPDATE and VACUUM: whoever else looks at the database keeps dead rows from going.
      await make(
        `TRUNCATE wide; INSERT INTO wide (data) SELECT repeat('x', 100) FROM generate_series(1, 20); ANALYZE wide`,
      );
      expect(await codes('wide')).toEqual([]);
    });
  });

  describe('of triggers and rules', () => {
    const note = (on: string, body: string): string => `
      CREATE OR REPLACE FUNCTION ${on}_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN ${body} RETURN NEW; END $f$`;
    beforeAll(() =>
      make(`CREATE TABLE acted (id uuid PRIMARY KEY, at timestamptz); CREATE TABLE audit (id uuid PRIMARY KEY, what text);
        ${note('stamp', 'NEW.at := now();')};
        ${note('audit', "/* delete from acted */ INSERT INTO audit VALUES (gen_random_uuid(), 'x'); -- update acted\n")}`),
    );
    afterEach(() => make('DROP TRIGGER IF EXISTS t ON acted'));

    it.each([
      ['ALWAYS', 'trigger_fires_again', 'BEFORE', 'stamp', 'error', /different rows/],
      ['REPLICA', 'trigger_fires_on_applied_rows_only', 'BEFORE', 'stamp', 'error', /different rows/],
      ['ALWAYS', 'trigger_fires_again', 'AFTER', 'audit', 'warning', /public.audit in each region by itself/],
    ])('finds one that is ENABLE %s (%s, %s %s)', async (enabled, code, when, f, severity, meaning) => {
      await make(`CREATE TRIGGER t ${when} INSERT ON acted FOR EACH ROW EXECUTE FUNCTION ${f}_f();
        ALTER TABLE acted ENABLE ${enabled} TRIGGER t`);
      const { meaning: told } = await isCured('acted', { code, severity: severity as 'error' });
      expect(told).toMatch(meaning);
    });

    it('finds one that writes to another enrolled table twice, and one whose writes stay in their region', async () => {
      await make('CREATE TRIGGER t AFTER INSERT ON acted FOR EACH ROW EXECUTE FUNCTION audit_f()');
      expect(await found('acted')).toMatchObject([
        {
          code: 'trigger_writes_unreplicated',
          severity: 'warning',
          message: 'it writes to public.audit, which is not enrolled',
        },
      ]);
      await us.enrol('SELECT 1', 'audit');
      expect(await found('acted')).toMatchObject([{ code: 'trigger_fires_once', severity: 'info' }]);
      await make('ALTER TABLE acted ENABLE ALWAYS TRIGGER t');
      const { meaning } = await isCured('acted', { code: 'trigger_fires_again', severity: 'error' });
      expect(meaning).toContain('public.audit arrives from the region of the write already, and is then there twice');
    });

    it('finds triggers of partitions, and leaves ours alone', async () => {
      await us.enrol(
        `CREATE TABLE halves (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE half PARTITION OF halves FOR VALUES FROM (1) TO (9)`,
        'halves',
      );
      await make(
        `CREATE TRIGGER "T 1" BEFORE INSERT ON half FOR EACH ROW EXECUTE FUNCTION stamp_f(); ALTER TABLE half ENABLE ALWAYS TRIGGER "T 1"`,
      );
      await isCured('halves', { code: 'trigger_fires_again', subject: 'public.half trigger "T 1"' });
    });

    it('refuses rules for UPDATE, for PostgreSQL takes no INSERT … ON CONFLICT beside one', async () => {
      await make(
        'CREATE TABLE ruled (id uuid PRIMARY KEY, n int); CREATE RULE "no n" AS ON UPDATE TO ruled DO INSTEAD NOTHING',
      );
      await us.user.query('BEGIN; SET LOCAL session_replication_role = replica');
      const insert = us.user.query('INSERT INTO ruled VALUES (gen_random_uuid(), 1) ON CONFLICT DO NOTHING');
      await expect(insert).rejects.toThrow('has INSERT or UPDATE rules');
      await us.user.query('ROLLBACK');
      await isCured('ruled', { code: 'rewrite_rule', severity: 'error' });
      await make('CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING');
      await isCured('ruled', { code: 'rewrite_rule', severity: 'warning' });
    });
  });

  describe('of rights', () => {
    /** A service whose role is nobody special: the tests' own is a superuser. */
    const owner = `meridian_owner_${process.pid}`;
    let asOwner: string;
    beforeAll(async () => {
      await make(`CREATE ROLE ${owner} LOGIN PASSWORD 'o'; GRANT USAGE ON SCHEMA meridian TO ${owner};
        GRANT ALL ON ALL TABLES IN SCHEMA meridian TO ${owner}; GRANT ALL ON ALL SEQUENCES IN SCHEMA meridian TO ${owner}`);
      const url = new URL(us.url);
      [url.username, url.password] = [owner, 'o'];
      asOwner = url.href;
    });
    afterAll(() => make(`DROP OWNED BY ${owner} CASCADE; DROP ROLE ${owner}`));

    it('names the owner that the service has to be, and the schema that it may not use', async () => {
      await make('CREATE TABLE theirs (id serial PRIMARY KEY)');
      const service = { url: asOwner };
      await isCured('theirs', { code: 'not_owner', severity: 'error' }, {}, service);
      await make(
        `CREATE SCHEMA apart; CREATE TABLE apart.t (id uuid PRIMARY KEY); ALTER TABLE apart.t OWNER TO ${owner}`,
      );
      const inApart = async (options: Partial<DoctorOptions>) =>
        (await doctor(options).checkTable({ schema: 'apart', name: 't' }))!.findings;
      for (const _role of ['of the service', 'of apply']) {
        const [first] = await inApart(service);
        expect(first!.code).toBe('schema_not_usable');
        for (const statement of first!.cure.sql!) await make(statement);
      }
      expect(await inApart(service)).toEqual([]);
    });

    it('finds row security that hides rows from apply, or from the service itself', async () => {
      await make(`CREATE TABLE secured (id uuid PRIMARY KEY); ALTER TABLE secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        ALTER TABLE secured OWNER TO ${owner}`);
      await isCured('secured', { code: 'row_security_forced', severity: 'error' }, {}, { url: asOwner });
      await isCured('secured', { code: 'row_security', severity: 'error' });
      await make(`ALTER ROLE ${applyRole} NOBYPASSRLS`);
    });

    it('finds what apply lacks on an enrolled table, and the right to be a replica', async () => {
      await us.enrol('CREATE TABLE held (id uuid PRIMARY KEY)', 'held');
      await make(`REVOKE UPDATE, DELETE ON held FROM ${applyRole}`);
      const { message } = await isCured('held', { code: 'table_rights', severity: 'error' });
      expect(message).toContain('lacks UPDATE, DELETE on it');
      await make(`CREATE TABLE firing (id uuid PRIMARY KEY, up uuid REFERENCES held); CREATE INDEX ON firing (up)`);
      const [missing] = await found('firing', {}, { replicaRole: false });
      expect(missing).toMatchObject({ code: 'replica_role_missing' });
      await make(missing!.cure.sql![0]!);
      expect(await codes('firing')).toEqual([]);
    });

    it('finds a table that refers to this one, and that apply may not read', async () => {
      await make(`CREATE TABLE read_parent (id uuid PRIMARY KEY); CREATE TABLE unread (id uuid PRIMARY KEY, "Up" uuid REFERENCES read_parent);
        ALTER TABLE read_parent OWNER TO ${owner}`);
      await isCured('read_parent', { code: 'referrer_not_readable', severity: 'error' }, {}, { url: asOwner });
    });
  });

  describe('of policies', () => {
    it('suggests groups by their names, until they are in the policy', async () => {
      await make(
        'CREATE TABLE shaped (id uuid PRIMARY KEY, price_amount numeric, price_currency text, lat float8, lng float8)',
      );
      expect((await found('shaped')).map((f) => [f.code, f.severity, f.subject])).toEqual([
        ['group_suggested', 'hint', 'public.shaped (price_amount, price_currency)'],
        ['group_suggested', 'hint', 'public.shaped (lat, lng)'],
      ]);
      expect(
        await codes('shaped', {
          groups: [
            ['price_amount', 'price_currency'],
            ['lat', 'lng'],
          ],
        }),
      ).toEqual([]);
      expect(await codes('shaped', { granularity: 'row' })).toEqual([]);
    });

    it('checks as if it were enrolled under another policy, and mends what that needs', async () => {
      await make(
        'CREATE TABLE stocked (id uuid PRIMARY KEY, n int, f float8 NOT NULL, c int NOT NULL CHECK (c > 0), u int NOT NULL UNIQUE)',
      );
      const counter = (name: string) => ({ columns: { [name]: 'counter' } });
      for (const column of ['n', 'f', 'c', 'u'])
        await isCured('stocked', { code: 'bad_counter', severity: 'error' }, counter(column));
      expect(await codes('stocked', counter('nothing'))).toContain('unknown_column');
      expect(await codes('stocked', { policy: 'nonsense' })).toContain('bad_policy');
      expect(await codes('stocked')).toEqual([]);
    });

    it('suggests counters by their names, then by what the log and the conflicts show', async () => {
      await make(
        'CREATE TABLE shelf (id uuid PRIMARY KEY, stock int NOT NULL DEFAULT 0, seen int NOT NULL DEFAULT 0, year int NOT NULL DEFAULT 0)',
      );
      expect((await found('shelf')).map((f) => [f.code, f.subject])).toEqual([
        ['counter_suggested', 'public.shelf."stock"'],
      ]);
      expect(await codes('shelf', { columns: { stock: 'counter' } })).toEqual([]);
      await make('CREATE TABLE kept (id uuid PRIMARY KEY, stock int NOT NULL CHECK (stock >= 0))');
      expect(await found('kept')).toMatchObject([
        { code: 'counter_suggested', cure: { text: expect.stringContaining('bounded-counter') as string } },
      ]);
      await us.enrol('SELECT 1', 'shelf');
      await make(`INSERT INTO shelf (id) VALUES ('00000000-0000-0000-0000-000000000001')`);
      for (const year of [1990, 2024, 1871, 1066, 1999, 1815])
        await make(`UPDATE shelf SET seen = seen + 1, year = ${year}`);
      expect(await codes('shelf')).toEqual([]);
      await make(`INSERT INTO meridian.conflict VALUES ('c', 'public.shelf', '["1"]', 'update_origin_differs', 'us', 'open', '{}', '[]', NULL,
        '[{"columns":["seen"]},{"columns":["year"]}]', NULL, '', now(), now())`);
      expect(await found('shelf')).toMatchObject([
        {
          ...{ code: 'counter_suggested', severity: 'hint', subject: 'public.shelf."seen"' },
          message: expect.stringContaining('6 updates in the log change it by 1 different amounts') as string,
        },
      ]);
      await make('DELETE FROM meridian.conflict');
    });

    it('tells of defaults that ask their server', async () => {
      await make(`CREATE TABLE marked (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT now(),
        "In" text DEFAULT current_setting('app.region', true), note text DEFAULT 'current_user')`);
      await isCured('marked', { code: 'default_of_its_region', severity: 'info', subject: 'public.marked."In"' });
    });
  });

  it('tells of an enrolled table that waits, differs, is gone, or would be refused now', async () => {
    await us.enrol('CREATE TABLE waits (id uuid PRIMARY KEY, x text)', 'waits');
    await make(`UPDATE meridian.enrolled_table SET state = 'waiting', reason = 'no colour' WHERE rel = 'public.waits'`);
    expect(await check('waits')).toMatchObject({ state: 'waiting', findings: [{ code: 'table_waits' }] });
    await make(
      `UPDATE meridian.enrolled_table SET state = 'active', reason = NULL WHERE rel = 'public.waits'; ALTER TABLE waits ADD UNIQUE (x)`,
    );
    expect(await codes('waits')).toContain('table_differs');
    await make('DROP TABLE waits');
    expect(await check('waits')).toMatchObject({
      state: 'waiting',
      findings: [{ code: 'table_missing' }],
      shape: null,
    });
  });

  it('is told to the doctor of the region where it is an error or a warning of an enrolled table', async () => {
    await us.enrol(
      'CREATE TABLE told (id uuid PRIMARY KEY); CREATE TABLE outside (id uuid PRIMARY KEY, up uuid REFERENCES told)',
      'told',
    );
    const { findings } = await doctor().examine();
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'referrer_not_enrolled', about: 'public.outside' }),
    );
    expect(findings.map((f) => f.code)).not.toContain('foreign_key_without_index');
  });

  it('holds nobody up, and is held up by nobody who writes', async () => {
    await us.enrol('CREATE TABLE busy (id uuid PRIMARY KEY, n int)', 'busy');
    const writer = new Client({ connectionString: us.url });
    await writer.connect();
    await writer.query('BEGIN; INSERT INTO busy VALUES (gen_random_uuid(), 1)');
    expect(await codes('busy')).toEqual([]);
    await writer.query('COMMIT');
    await writer.end();
  });
});
