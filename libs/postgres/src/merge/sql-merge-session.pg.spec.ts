import type { MergeCall, RegionId, RowKey, TableName } from '@meridian/core';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { SqlMergeSession } from './sql-merge-session.js';

const FIRST = `CREATE FUNCTION public.first(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('v', versions -> 0 -> 'values' ->> 'v') $$`;

describe('the session of SQL merge functions', () => {
  let db: TestDatabase;
  let merges: SqlMergeSession;
  beforeAll(async () => {
    db = await templateDatabase();
    merges = new SqlMergeSession(db.url);
    const owner = new Client({ connectionString: db.url });
    await owner.connect();
    await owner.query(FIRST);
    await owner.end();
  });
  afterAll(async () => {
    await merges.close();
    await db.drop();
  });

  it('takes one run at a time: apply asks while a new policy is tried', async () => {
    const call = (v: string): MergeCall => ({
      ...{ function: { name: 'public.first', version: 1 }, table: 'public.t' as TableName, key: '["1"]' as RowKey },
      ...{ columns: ['v'], base: null },
      versions: [{ origin: 'us' as RegionId, stamp: '1', wall: '2026-11-22T00:00:00.000000Z', values: { v } }],
    });
    await merges.run([call('warm')]);
    const [few, many] = [[call('a')], Array.from({ length: 250 }, (_, i) => call(String(i)))];
    const [short, long] = await Promise.all([merges.run(few), merges.run(many)]);
    expect(short).toEqual([{ kind: 'merged', values: { v: 'a' } }]);
    expect(long).toEqual(many.map((_, i) => ({ kind: 'merged', values: { v: String(i) } })));
  });
});
