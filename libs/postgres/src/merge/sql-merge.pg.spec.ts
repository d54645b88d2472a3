import type { MergeCall, RegionId, RowKey, TableName, Values } from '@meridian/core';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { openSession, RELAY_SETTINGS } from '../connection/settings.js';
import type { Session } from '../connection/session.js';
import { findFunction } from './find-function.js';
import { SqlMergeFunctions } from './sql-merge.js';

const FUNCTIONS = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.seen (n int);
  CREATE FUNCTION shop.greatest_qty(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('qty', (SELECT max((v -> 'values' ->> 'qty')::bigint)::text FROM jsonb_array_elements(versions) v))
  $$;
  CREATE FUNCTION shop.echo(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('qty', coalesce(base::text, 'none') || versions::text)
  $$;
  CREATE FUNCTION shop.write() RETURNS void LANGUAGE sql AS 'INSERT INTO shop.seen VALUES (1)';
  CREATE FUNCTION shop."Moody; DROP TABLE x"(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE plpgsql AS $$
  DECLARE qty text := versions -> 0 -> 'values' ->> 'qty';
  BEGIN
    CASE qty
      WHEN 'throws' THEN RAISE EXCEPTION 'no such price';
      WHEN 'sleeps' THEN PERFORM pg_sleep(60);
      WHEN 'writes' THEN INSERT INTO shop.seen VALUES (1);
      WHEN 'lets another write' THEN PERFORM shop.write();
      WHEN 'sets' THEN PERFORM set_config('search_path', 'shop', false);
      WHEN 'null' THEN RETURN NULL;
      WHEN 'number' THEN RETURN '{"qty": 1}';
      WHEN 'array' THEN RETURN '[]';
      WHEN 'extra' THEN RETURN '{"qty": null, "b": null}';
      WHEN 'less' THEN RETURN '{}';
      WHEN 'huge' THEN RETURN jsonb_build_object('qty', repeat('x', 100001));
      WHEN 'recurses' THEN RETURN shop."Moody; DROP TABLE x"(base, versions);
      ELSE NULL;
    END CASE;
    RETURN versions -> 0 -> 'values';
  END $$;
  CREATE FUNCTION shop.volatile(base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT base $$;
  CREATE FUNCTION shop.text(base jsonb, versions jsonb) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'x' $$;
  CREATE FUNCTION shop.private(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT base $$;
  REVOKE ALL ON FUNCTION shop.private FROM public;
  CREATE ROLE merger; GRANT USAGE ON SCHEMA shop TO merger; GRANT SELECT, INSERT ON shop.seen TO merger;`;

describe('merge functions in SQL', () => {
  let db: TestDatabase;
  let session: Session;
  let functions: SqlMergeFunctions;
  beforeAll(async () => {
    db = await templateDatabase();
    session = await openSession({ connectionString: db.url }, 'test', RELAY_SETTINGS);
    await session.script(FUNCTIONS);
    await session.script('SET ROLE merger');
    // A machine that runs other tests beside may take its time for an honest call.
    functions = new SqlMergeFunctions(session, 1_000);
  });
  beforeEach(() => session.script('BEGIN'));
  afterEach(() => session.script('ROLLBACK'));
  afterAll(async () => {
    await session.script('RESET ROLE; DROP OWNED BY merger; DROP ROLE merger');
    await session.close();
    await db.drop();
  });

  const MOODY = 'shop."Moody; DROP TABLE x"';
  const callOf = (name: string, base: Values | null, ...versions: readonly string[]): MergeCall => ({
    function: { name, version: 1 },
    table: 'shop.items' as TableName,
    key: '["1"]' as RowKey,
    columns: ['qty'],
    base,
    versions: versions.map((qty, i) => ({
      origin: `r${i}` as RegionId,
      stamp: `11600000000000000${i}`,
      wall: '2026-11-22T00:00:00.000000Z',
      values: { qty },
    })),
  });
  const run = async (...calls: readonly MergeCall[]): Promise<unknown[]> => {
    const outcomes = await functions.run(calls);
    return outcomes.map((o) => (o.kind === 'merged' ? o.values['qty'] : o.because));
  };

  it('many calls of several functions are answered in their order', async () => {
    const calls = Array.from({ length: 250 }, (_, i) =>
      i % 3 === 0
        ? callOf(MOODY, null, `m${i}`)
        : callOf('shop.greatest_qty', { qty: '0' }, String(i), '9223372036854775807', '8'),
    );
    expect(await run(...calls)).toEqual(calls.map((_, i) => (i % 3 === 0 ? `m${i}` : '9223372036854775807')));
  });

  it('are given base and versions, and NULL for no base', async () => {
    const [outcome] = await run(callOf('shop.echo', null, 'é"\\'));
    const versions = JSON.parse(String(outcome).slice('none'.length)) as unknown;
    expect(versions).toEqual(callOf('shop.echo', null, 'é"\\').versions);
    expect(await run(callOf('shop.echo', { qty: null }))).toEqual(['{"qty": null}[]']);
  });

  it.each([
    ['throws', 'threw'],
    ['writes', 'threw'],
    ['lets another write', 'threw'],
    ['recurses', 'threw'],
    ['sleeps', 'timed out'],
    ['null', 'not a value'],
    ['number', 'not a value'],
    ['array', 'not a value'],
    ['extra', 'not a value'],
    ['less', 'not a value'],
    ['huge', 'too large'],
  ])('only the call that %s fails, and the transaction goes on', async (what, because) => {
    await session.query('INSERT INTO shop.seen VALUES (7)');
    const calls = Array.from({ length: 20 }, (_, i) => callOf(MOODY, null, i === 10 ? what : `m${i}`));
    const outcomes = await functions.run([...calls, callOf('shop.greatest_qty', null, '3')]);
    expect(outcomes[10]).toMatchObject({ kind: 'failed', because });
    expect(outcomes.filter((o) => o.kind === 'merged')).toHaveLength(20);
    expect((await session.query('SELECT n FROM shop.seen')).rows).toEqual([['7']]);
  });

  it('what a function sets is set back', async () => {
    expect(await run(callOf(MOODY, null, 'sets'))).toEqual(['sets']);
    const settings = `SELECT current_setting('search_path'), current_setting('statement_timeout'), current_setting('transaction_read_only')`;
    expect((await session.query(settings)).rows).toEqual([['"$user", public', '0', 'off']]);
  });

  it('a function that keeps timing out does not hold up the rest', async () => {
    functions = new SqlMergeFunctions(session, 20);
    const calls = Array.from({ length: 300 }, (_, i) => callOf(MOODY, null, i < 150 ? 'sleeps' : 'ok'));
    const outcomes = await run(...calls);
    functions = new SqlMergeFunctions(session, 1_000);
    expect(outcomes.filter((o) => o === 'timed out')).toHaveLength(2);
    expect(outcomes.filter((o) => o === 'suspended')).toHaveLength(298);
  });

  it.each([
    ['shop.nothing', 'create it in every region'],
    ['nothing', 'name its schema'],
    ['shop.echo; DROP TABLE shop.seen', 'create it in every region'],
    ['shop.volatile', 'IMMUTABLE'],
    ['shop.text', 'does not return jsonb'],
    ['shop.private', 'GRANT EXECUTE'],
  ])('%s is refused with its cure', async (name, cure) => {
    expect(await functions.run([callOf(name, null, '1')])).toEqual([
      { kind: 'failed', because: 'unknown function', detail: expect.stringContaining(cure) as string },
    ]);
  });

  it('one that has changed since the regions agreed on it is not run: others may still have it as it was', async () => {
    const greatest = callOf('shop.greatest_qty', null, '3', '20');
    const digest = async () => {
      const found = await findFunction(session, greatest.function.name);
      return found.kind === 'found' ? found.digest : found.detail;
    };
    const agreed = { ...greatest, function: { ...greatest.function, digest: await digest() } };
    expect(await run(agreed, greatest)).toEqual(['20', '20']);
    await session.script(`RESET ROLE; CREATE OR REPLACE FUNCTION shop.greatest_qty(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE
      LANGUAGE sql AS $$ SELECT '{"qty": "least"}'::jsonb $$; SET ROLE merger`);
    expect(await run(agreed, greatest)).toEqual(['unknown function', 'least']);
    expect(await run({ ...greatest, function: { ...greatest.function, digest: await digest() } })).toEqual(['least']);
  });

  it('a lost connection is no outcome', async () => {
    const own = await openSession({ connectionString: db.url }, 'test', RELAY_SETTINGS);
    await own.script('BEGIN');
    await own.close();
    await expect(new SqlMergeFunctions(own).run([callOf('shop.echo', null, '1')])).rejects.toThrow('lost');
  });
});
