import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import type { CatalogTable } from './catalog-table.js';
import { readTable } from './read-table.js';
import { resolvePolicy } from './resolve-policy.js';

describe('a policy resolved against the catalog', () => {
  let db: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    db = await templateDatabase();
    client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query(`SET search_path = ''; CREATE SCHEMA s`);
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  let tables = 0;
  async function table(columns: string, suffix = '', kind = 'TABLE'): Promise<CatalogTable> {
    const name = `t${(tables += 1)}`;
    await client.query(`CREATE ${kind} s.${name} ${columns === '' ? '' : `(${columns})`} ${suffix}`);
    return (await readTable(client, { schema: 's', name }))!;
  }
  const codes = (found: CatalogTable, policy: unknown = {}): string[] =>
    resolvePolicy(policy, found, 1).problems.map((p) => p.code);
  const registers = (found: CatalogTable, policy: unknown = {}): (readonly string[])[] =>
    resolvePolicy(policy, found, 1).spec!.registers.map((r) => r.columns);

  it('puts every column but the key’s and generated ones in a register of its own', async () => {
    const found = await table(
      'a text, id int, b int NOT NULL, c int GENERATED ALWAYS AS (b + 1) STORED, PRIMARY KEY (id, a)',
    );
    expect(resolvePolicy({ columns: { b: 'counter' } }, found, 3).spec).toEqual({
      name: `s.${found.relation}`,
      keyColumns: ['id', 'a'],
      registers: [],
      counters: ['b'],
      delete: 'update-wins',
      uniqueKeys: [],
      foreignKeys: [],
      renamed: [],
      agreed: ['a', 'id', 'b'],
      epoch: 3,
    });
    expect(registers(found)).toEqual([['b']]);
  });

  it('joins columns that share a CHECK, a unique key, a composite foreign key or a group', async () => {
    await client.query('CREATE TABLE s.parent (x int, y int, PRIMARY KEY (x, y))');
    const found = await table(`id int PRIMARY KEY, a int, b int, c text, d text, e int, f int, g int, h int,
      CHECK (a < b), UNIQUE (c, d), FOREIGN KEY (e, f) REFERENCES s.parent, CHECK (f > 0 OR g > 0)`);
    expect(registers(found)).toEqual([['a', 'b'], ['c', 'd'], ['e', 'f', 'g'], ['h']]);
    expect(registers(found, { groups: [['h', 'a']] })[0]).toEqual(['a', 'b', 'h']);
    expect(registers(found, { granularity: 'row' })).toEqual([['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']]);
  });

  it('lets a bounded counter be in a CHECK of its own that its bound implies', async () => {
    const found =
      await table(`id int PRIMARY KEY, a int NOT NULL CHECK (a >= 0), b int NOT NULL CHECK (b > 2), "C" numeric NOT NULL CHECK ("C" >= 1.5),
      d int NOT NULL, CHECK (d >= 0 AND d < 100), e int NOT NULL, f int, CHECK (e >= f)`);
    const bounded = (column: string, min = 0) =>
      codes(found, { columns: { [column]: { policy: 'bounded-counter', min } } });
    expect([bounded('a'), bounded('b', 3), bounded('C', 1.5)]).toEqual([[], [], []]);
    for (const [column, min] of [
      ['b', 2],
      ['C', 1.4],
      ['d', 0],
      ['e', 0],
    ] as const)
      expect(bounded(column, min)).toEqual(['bad_counter']);
    expect(resolvePolicy({ columns: { a: 'bounded-counter' } }, found, 4).spec).toMatchObject({
      counters: ['a'],
      bounded: [{ column: 'a', name: 'a', min: '0', since: 4 }],
    });
  });

  it('refuses a bound below zero, one that the type cannot hold, and a bound above', async () => {
    const found = await table('id int PRIMARY KEY, a int2 NOT NULL');
    const bounded = (policy: object) => codes(found, { columns: { a: { policy: 'bounded-counter', ...policy } } });
    for (const policy of [{ min: -1 }, { min: 40_000 }, { min: 1e21 }, { min: 0, max: 7 }])
      expect(new Set(bounded(policy))).toEqual(new Set(['bad_counter']));
  });

  it('follows a CHECK over a generated column to the columns that it is computed from', async () => {
    const found = await table(
      'id int PRIMARY KEY, a int, b int, s int GENERATED ALWAYS AS (a + b) STORED CHECK (s > 0)',
    );
    expect(registers(found)).toEqual([['a', 'b']]);
  });

  it('knows secondary unique keys, constraints and indexes alike, and whether NULLs are distinct', async () => {
    const found = await table('id int PRIMARY KEY, a int UNIQUE, b int, c text, UNIQUE NULLS NOT DISTINCT (b, c)');
    await client.query(`CREATE UNIQUE INDEX only_an_index ON s.${found.relation} (c)`);
    const again = (await readTable(client, { schema: 's', name: found.relation }))!;
    expect(resolvePolicy({}, again, 1).spec!.uniqueKeys).toEqual([
      { name: 'only_an_index', columns: ['c'], nullsDistinct: true },
      { name: `${found.relation}_a_key`, columns: ['a'], nullsDistinct: true },
      { name: `${found.relation}_b_c_key`, columns: ['b', 'c'], nullsDistinct: false },
    ]);
  });

  it.each([
    ['no primary key', 'id int', 'no_primary_key'],
    ['a float key', 'id float8 PRIMARY KEY', 'unsupported_key_type'],
    ['an interval key', 'id interval PRIMARY KEY', 'unsupported_key_type'],
    ['a jsonb key', 'id jsonb PRIMARY KEY', 'unsupported_key_type'],
    ['an array key', 'id int[] PRIMARY KEY', 'unsupported_key_type'],
    ['a deferrable primary key', 'id int PRIMARY KEY DEFERRABLE', 'unsupported_unique_key'],
    ['a deferrable unique key', 'id int PRIMARY KEY, a int UNIQUE DEFERRABLE', 'unsupported_unique_key'],
    ['a unique key over a float', 'id int PRIMARY KEY, a float8 UNIQUE', 'unsupported_unique_key'],
    ['a unique key over a numeric of any scale', 'id int PRIMARY KEY, a numeric UNIQUE', 'unsupported_unique_key'],
    [
      'an exclusion constraint',
      'id int PRIMARY KEY, a int4range, EXCLUDE USING gist (a WITH &&)',
      'unsupported_constraint',
    ],
  ])('refuses %s', async (_, columns, code) => {
    expect(codes(await table(columns))).toEqual([code]);
  });

  it.each([
    ['partial', '(a) WHERE a > 0'],
    ['expression', '((a + 1))'],
  ])('refuses a unique index that is %s', async (_, definition) => {
    const found = await table('id int PRIMARY KEY, a int');
    await client.query(`CREATE UNIQUE INDEX ON s.${found.relation} ${definition}`);
    expect(codes((await readTable(client, { schema: 's', name: found.relation }))!)).toEqual([
      'unsupported_unique_key',
    ]);
  });

  it('refuses a key whose collation holds different texts for equal', async () => {
    await client.query(`CREATE COLLATION s.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
    expect(codes(await table('id text COLLATE s.ci PRIMARY KEY'))).toEqual(['unsupported_key_type']);
    expect(codes(await table('id int PRIMARY KEY, a text COLLATE s.ci UNIQUE'))).toEqual(['unsupported_unique_key']);
    expect(codes(await table('id int PRIMARY KEY, a text COLLATE s.ci'))).toEqual([]);
  });

  it('accepts numeric, uuid, text, domain, enum and timestamp keys', async () => {
    await client.query(`CREATE DOMAIN s.code AS varchar(5); CREATE TYPE s.mood AS ENUM ('a')`);
    for (const type of ['numeric', 'uuid', 'text', 's.code', 's.mood', 'timestamptz', 'bytea', 'char(3)'])
      expect({ type, codes: codes(await table(`id ${type} PRIMARY KEY`)) }).toEqual({ type, codes: [] });
  });

  it('refuses what is no ordinary permanent table, each with what to do instead', async () => {
    await client.query('CREATE TABLE s.root (id int PRIMARY KEY) PARTITION BY RANGE (id)');
    const relations = [
      await table('id int PRIMARY KEY', '', 'UNLOGGED TABLE'),
      await table('', 'AS SELECT 1 AS id', 'VIEW'),
      await table('', 'AS SELECT 1 AS id', 'MATERIALIZED VIEW'),
      await table('', 'PARTITION OF s.root FOR VALUES FROM (1) TO (2)'),
      await table('PRIMARY KEY (id)', `INHERITS (s.${(await table('id int')).relation})`),
    ];
    for (const found of relations)
      expect({ kind: found.kind, codes: codes(found) }).toEqual({ kind: found.kind, codes: ['unsupported_relation'] });
  });

  it('refuses counters that could not add up', async () => {
    const found = await table(
      'id int PRIMARY KEY, f float8 NOT NULL, n int, c int NOT NULL CHECK (c >= 0), u int NOT NULL UNIQUE, ok numeric NOT NULL',
    );
    const counter = (column: string): string[] => codes(found, { columns: { [column]: 'counter' } });
    expect([counter('f'), counter('n'), counter('c'), counter('u'), counter('ok')]).toEqual([
      ['bad_counter'],
      ['bad_counter'],
      ['bad_counter'],
      ['bad_counter'],
      [],
    ]);
  });

  it('tells all reasons at once, each with its cure', async () => {
    const found = await table('a float8, b int UNIQUE DEFERRABLE');
    const { problems } = resolvePolicy({ columns: { a: 'counter', x: 'hlc' }, delete: 'update-wins' }, found, 1);
    expect(problems.map((p) => p.code)).toEqual([
      'no_primary_key',
      'unsupported_unique_key',
      'unknown_column',
      'bad_counter',
      'bad_counter',
    ]);
    expect(problems.every((p) => p.message !== '' && p.cure !== '')).toBe(true);
  });

  it('takes lww by a column of time only', async () => {
    const found = await table('id int PRIMARY KEY, a text, at timestamptz, d date');
    const by = (column: string): string[] => codes(found, { columns: { a: { policy: 'lww', column } } });
    expect([by('at'), by('d'), by('a'), by('missing')]).toEqual([[], [], ['bad_lww_column'], ['bad_lww_column']]);
  });

  it('refuses a group of two policies, and key or generated columns in a policy', async () => {
    const found = await table('id int PRIMARY KEY, a int, b int, g int GENERATED ALWAYS AS (a) STORED');
    expect(codes(found, { groups: [['a', 'b']], columns: { a: 'hlc', b: 'lww' } })).toEqual(['bad_group']);
    expect(codes(found, { columns: { id: 'hlc' } })).toEqual(['bad_policy']);
    expect(codes(found, { columns: { g: 'hlc' } })).toEqual(['bad_policy']);
  });
});
