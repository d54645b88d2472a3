import { createRowsPool, PgMergeCounts } from '@meridian/postgres';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

describe('merges that lost nothing', () => {
  let regions: RealRegions;
  useRegions(['ap', 'eu', 'us'], (opened) => (regions = opened));

  const write = (name: string, sql: string) => regions.named(name).user.query(sql);
  /** All regions' shares together. */
  const counted = async (table: string): Promise<string[]> => {
    const sql = `SELECT columns || ' ' || policy || ' ' || merges FROM meridian.merge_count WHERE rel = $1`;
    const shares = await Promise.all(regions.all.map((region) => region.read(sql, [`public.${table}`])));
    return shares.flat().sort();
  };

  it('are counted once for the cluster, and are no records; those with a loser are records, and not counted', async () => {
    const ddl = `CREATE TABLE baskets (id int PRIMARY KEY, n int NOT NULL, tags text[], doc jsonb, x text)`;
    const columns = { n: 'counter', tags: 'set', doc: 'map' };
    await regions.enrol(ddl, ['baskets'], { columns });
    await write('us', `INSERT INTO baskets VALUES (1, 10, '{a}', '{"k": 1, "l": 1}', '-')`);
    await regions.exchange();
    await write('eu', `UPDATE baskets SET n = n + 1, tags = tags || '{b}'::text[], doc = doc || '{"k": 2}'`);
    nextMillisecond();
    await write('us', `UPDATE baskets SET n = n + 2, tags = tags || '{c}'::text[], doc = doc || '{"l": 2}'`);
    expect(await regions.equalRows('baskets')).toEqual(['1 | 13 | {a,b,c} | {"k": 2, "l": 2} | -']);
    expect(await counted('baskets')).toEqual(['["doc"] map 1', '["n"] counter 1', '["tags"] set 1']);
    expect(await regions.conflicts('baskets')).toEqual([]);

    await write('eu', `UPDATE baskets SET doc = doc || '{"k": 3}', x = 'eu'`);
    nextMillisecond();
    await write('us', `UPDATE baskets SET doc = doc || '{"k": 4}', x = 'us'`);
    await regions.equalRows('baskets');
    expect(await counted('baskets')).toEqual(['["doc"] map 1', '["n"] counter 1', '["tags"] set 1']);
    expect(await regions.conflicts('baskets')).toHaveLength(1);

    const us = regions.named('us');
    const pool = createRowsPool({ url: us.url, max: 1, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 });
    const told = await new PgMergeCounts(pool).counts({ schema: 'public', name: 'baskets' }).finally(() => pool.end());
    const here = await us.read(
      `SELECT columns FROM meridian.merge_count WHERE rel = 'public.baskets' ORDER BY columns`,
    );
    expect(told.map(({ columns }) => JSON.stringify(columns))).toEqual(here);

    // One after the other is no merge.
    await write('eu', `UPDATE baskets SET n = n + 1`);
    await regions.exchange();
    await write('us', `UPDATE baskets SET n = n + 1`);
    await regions.exchange();
    expect(await counted('baskets')).toContain('["n"] counter 1');
  });

  it("count a function's, and not its failures", async () => {
    const source = (body: string): object => ({
      policy: 'merge:longest',
      source: `export default (base, versions) => { ${body} }`,
    });
    const longest =
      'return versions.map((v) => v.values).reduce((a, b) => (b.x.length > a.x.length || (b.x.length === a.x.length && b.x > a.x) ? b : a))';
    await regions.enrol('CREATE TABLE notes (id int PRIMARY KEY, x text)', ['notes'], {
      columns: { x: source(longest) },
    });
    await regions.enrol('CREATE TABLE thrown (id int PRIMARY KEY, x text)', ['thrown'], {
      columns: { x: source('throw new Error("no")') },
    });
    for (const t of ['notes', 'thrown']) {
      await write('us', `INSERT INTO ${t} VALUES (1, '-')`);
      await regions.exchange();
      await write('eu', `UPDATE ${t} SET x = 'long'`);
      nextMillisecond();
      await write('us', `UPDATE ${t} SET x = 'us'`);
      await regions.equalRows(t);
    }
    expect(await counted('notes')).toEqual(['["x"] merge:longest 1']);
    expect(await counted('thrown')).toEqual([]);
  });
});
