import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import type { CatalogTable } from './catalog-table.js';
import { parsePolicyDocument, policyJson } from './policy-document.js';
import { readTable } from './read-table.js';
import { resolvePolicy } from './resolve-policy.js';

describe('policies of unique keys and foreign keys', () => {
  let db: TestDatabase;
  let client: Client;
  let customers: CatalogTable;
  beforeAll(async () => {
    db = await templateDatabase();
    client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query(`CREATE SCHEMA s; SET search_path = 's';
      CREATE TABLE shop (tenant int, id int, PRIMARY KEY (tenant, id));
      CREATE TABLE customers (id int PRIMARY KEY, email varchar(60) UNIQUE, nick text NOT NULL UNIQUE, code int UNIQUE,
        tenant int NOT NULL, ref int, short varchar(8) UNIQUE, checked text UNIQUE CHECK (checked LIKE '%@%'),
        alone text UNIQUE NULLS NOT DISTINCT, a text, b text, UNIQUE (a, b),
        must int NOT NULL REFERENCES customers, FOREIGN KEY (tenant, ref) REFERENCES shop);
      SET search_path = ''`);
    customers = (await readTable(client, { schema: 's', name: 'customers' }))!;
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  const unique = (key: string, policy: unknown): unknown => {
    const { spec, problems } = resolvePolicy({ unique: { [`customers_${key}_key`]: policy } }, customers, 1);
    return spec === null
      ? problems.map((p) => `${p.code}: ${p.message} (${p.cure})`).join('; ')
      : (spec.uniqueKeys.find((k) => k.name === `customers_${key}_key`)!.loser ?? 'park');
  };
  const foreign = (key: string, policy: unknown): unknown => {
    const { spec, problems } = resolvePolicy({ foreignKeys: { [`customers_${key}_fkey`]: policy } }, customers, 1);
    return spec === null
      ? problems.map((p) => `${p.code}: ${p.message} (${p.cure})`).join('; ')
      : (spec.foreignKeys.find((k) => k.name === `customers_${key}_fkey`)!.orphan ?? 'restore');
  };

  it('are resolved against the columns of the key', () => {
    const template = '{value}-{region}';
    expect(unique('email', 'park')).toBe('park');
    expect(unique('email', 'delete')).toEqual({ kind: 'delete' });
    expect(unique('email', 'null')).toEqual({ kind: 'null', column: 'email' });
    expect(unique('email', { policy: 'rename', template })).toMatchObject({ column: 'email', template, longest: 60 });
    expect(unique('nick', { policy: 'rename', template })).toMatchObject({ longest: null });
    expect(unique('a_b', { policy: 'null', column: 'b' })).toEqual({ kind: 'null', column: 'b' });
    expect(foreign('tenant_ref', 'null')).toEqual({ kind: 'null', columns: ['ref'] });
    expect(foreign('must', 'cascade')).toEqual({ kind: 'cascade' });
    expect(foreign('must', 'restore')).toBe('restore');
  });

  it.each([
    ['nick', 'null', /^bad_key_policy: "null" for the unique key "customers_nick_key": "nick" is NOT NULL \(use/],
    ['code', { policy: 'rename', template: '{key}' }, /"code" is integer, and only text and varchar can be renamed/],
    ['short', { policy: 'rename', template: '{value}-{region}' }, /"short" takes 8 characters.*shorten the template/],
    ['checked', 'null', /"checked" is inside the CHECK "customers_checked_check"/],
    ['alone', 'null', /its NULLs are not distinct/],
    ['a_b', 'null', /a and b can be changed \(say which: \{"policy": "null", …, "column": "a"\}\)/],
    ['a_b', { policy: 'null', column: 'id' }, /"id" is not one of its columns/],
    ['none', 'delete', /^unknown_constraint: there is no unique key "customers_none_key" \(name one of customers_/],
  ])('of the unique key %s refuse %j', (key, policy, told) => {
    expect(unique(key, policy)).toMatch(told);
  });

  it('of a foreign key refuse null where nothing can be NULL', () => {
    expect(foreign('must', 'null')).toMatch(/"must" is NOT NULL \(use "restore", "park" or "cascade"\)/);
    expect(foreign('none', 'park')).toMatch(/^unknown_constraint/);
  });

  it.each([
    [{ unique: 'rename' }, 'takes a \\"template\\"'],
    [{ unique: { k: { policy: 'rename', template: 'x {value}' } } }, 'it has to name {key}'],
    [{ unique: { k: { policy: 'rename', template: '{id}' } } }, 'there are {value}, {region}, {key}'],
    [{ unique: { k: 'cascade' } }, 'is no policy'],
    [{ unique: 7 }, '7 is no policy'],
    [{ foreignKeys: 'delete' }, 'is no policy'],
    [{ foreignKeys: { k: ['park'] } }, 'is no policy'],
  ])('are refused as a document: %j', (input, told) => {
    const { problems } = parsePolicyDocument(input);
    expect(problems.map((p) => p.code)).toEqual(['bad_policy']);
    expect(JSON.stringify(problems)).toContain(told);
  });

  it.each([
    [{ unique: 'null', foreignKeys: 'cascade' }],
    [{ unique: { policy: 'rename', template: '{value} {key}' } }],
    [{ unique: { a: { policy: 'rename', template: '{key}', column: 'c' }, b: 'park' }, foreignKeys: { c: 'null' } }],
  ])('are read back as they were written: %j', (input) => {
    const { document } = parsePolicyDocument(input);
    expect(JSON.parse(policyJson(document!))).toMatchObject(input);
    expect(parsePolicyDocument(JSON.parse(policyJson(document!))).document).toEqual(document);
  });
});
