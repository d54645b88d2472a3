import { RowSiblings } from '@meridian/contract';
import { httpCall, serveRest } from '@meridian/testkit';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

const POLICY = { columns: { x: 'register', n: 'counter' } };

describe('siblings of a register', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  const servers = new Map<RealRegion, Awaited<ReturnType<typeof serveRest>>>();
  useRegions(['ap', 'eu', 'us'], async (opened) => {
    [ap, eu, us] = (regions = opened).all;
    for (const region of regions.all) servers.set(region, await serveRest(region.url, { region: region.name }));
  });
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

  const get = (region: RealRegion | undefined, path: string) => httpCall(servers.get(region!)!.url, 'GET', path);
  const siblingsIn = async (region: RealRegion | undefined, table: string): Promise<RowSiblings['registers']> => {
    const { text } = await get(region, `/v1/data/${table}/1/siblings`);
    return RowSiblings.parse(JSON.parse(text)).registers;
  };
  /** What stands beside x, in one region. */
  const besideIn = async (region: RealRegion | undefined, table: string): Promise<(string | null | undefined)[]> =>
    (await siblingsIn(region, table)).flatMap((r) => r.siblings.map((s) => s.values['x'])).sort();
  const beside = async (table: string): Promise<unknown> => {
    await regions.equalRows(table);
    const [first, ...others] = await Promise.all(regions.all.map((region) => besideIn(region, table)));
    for (const other of others) expect(other).toEqual(first);
    return first;
  };
  const set = async (region: RealRegion | undefined, table: string, what: string): Promise<void> => {
    await region!.user.query(`UPDATE ${table} SET ${what} WHERE id = 1`);
    nextMillisecond();
  };
  const statuses = async (table: string): Promise<unknown[]> => {
    const { text } = await get(eu, `/v1/conflicts?table=${table}`);
    return (JSON.parse(text) as { items: { status: string; reason: string }[] }).items.map((c) => c.status);
  };

  /** All three write x; us's shows. */
  async function threeValues(policy: object = POLICY): Promise<string> {
    const table = await regions.items(policy);
    await us!.user.query(`INSERT INTO ${table} VALUES (1, '-', '-')`);
    await regions.exchange();
    await set(ap, table, `x = 'ap'`);
    await set(eu, table, `x = 'eu'`);
    await set(us, table, `x = 'us'`);
    return table;
  }

  it('are all concurrent values but the one that shows, the same in every region', async () => {
    const table = await threeValues();
    expect(await beside(table)).toEqual(['ap', 'eu']);
    const [register] = await siblingsIn(ap, table);
    expect(register).toMatchObject({ columns: ['x'], shown: { x: 'us' } });
    expect(register!.siblings.map((s) => [s.origin, s.values])).toEqual(
      expect.arrayContaining([
        ['ap', { x: 'ap' }],
        ['eu', { x: 'eu' }],
      ]),
    );
    expect(await regions.conflicts(table)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          reason: expect.stringMatching(
            /^x: us's value shows \(its stamp is .* later\), and this one stands beside it/,
          ) as string,
        }),
      ]),
    );
  });

  it('are told with the row, in a header, and by SQL to whoever may read its table', async () => {
    const table = await threeValues();
    await regions.exchange();
    expect((await get(eu, `/v1/data/${table}/1`)).headers.get('meridian-siblings')).toBe('x');
    const sql = `SELECT columns, "values" ->> 'x' AS x, region FROM meridian.siblings WHERE table_name = 'public.${table}' ORDER BY 2`;
    expect((await eu!.user.query(sql)).rows).toEqual([
      { columns: ['x'], x: 'ap', region: 'ap' },
      { columns: ['x'], x: 'eu', region: 'eu' },
    ]);
    const role = `reader_of_${table}`;
    await eu!.user.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA meridian TO ${role}`);
    const asReader = async () => {
      await eu!.user.query(`SET ROLE ${role}`);
      const { rows } = await eu!.user.query(sql);
      await eu!.user.query('RESET ROLE');
      return rows.length;
    };
    expect(await asReader()).toBe(0);
    await eu!.user.query(`GRANT SELECT ON ${table} TO ${role}`);
    expect(await asReader()).toBe(2);
    await eu!.user.query(
      `REVOKE ALL ON ${table} FROM ${role}; REVOKE ALL ON SCHEMA meridian FROM ${role}; DROP ROLE ${role}`,
    );
  });

  it('end with a write that had seen them: at once where it was written, everywhere with its tick', async () => {
    const table = await threeValues();
    await regions.exchange();
    await set(ap, table, `x = 'of all three'`);
    expect(await besideIn(ap, table)).toEqual([]);
    expect((await get(ap, `/v1/data/${table}/1`)).headers.get('meridian-siblings')).toBeNull();
    expect(await besideIn(eu, table)).toEqual(['ap', 'eu']);
    expect(await beside(table)).toEqual([]);
    expect(await statuses(table)).toEqual(['resolved', 'resolved']);
    expect((await regions.conflicts(table)).map((c) => c.reason)).toEqual([
      expect.stringMatching(/^x: written over by ap's change \d+, which had seen it$/),
      expect.stringMatching(/^x: written over by ap's change \d+, which had seen it$/),
    ]);
    const resolved = await get(us, `/v1/conflicts?table=${table}&status=resolved`);
    expect((JSON.parse(resolved.text) as { items: unknown[] }).items).toHaveLength(2);
    const open = `SELECT o.conflict FROM meridian.open_conflict o JOIN meridian.conflict c ON c.id = o.conflict WHERE rel = 'public.${table}'`;
    for (const region of regions.all) expect(await region.read(open)).toEqual([]);
  });

  it('stay beside a write that had not seen them, and beside one of another column', async () => {
    const table = await threeValues();
    await regions.exchange();
    await set(ap, table, `y = 'another'`);
    await set(us, table, `x = 'of us again'`);
    await set(eu, table, `x = 'of eu again'`);
    // us and eu had each seen all three, but not one another.
    expect(await beside(table)).toEqual(['of us again']);
  });

  it('end with the row, also where a concurrent write brings it back', async () => {
    const table = await threeValues();
    await regions.exchange();
    await eu!.user.query(`DELETE FROM ${table}`);
    await set(us, table, `y = 'kept'`);
    expect(await beside(table)).toEqual([]);
    expect((await eu!.user.query(`SELECT x, y FROM ${table}`)).rows).toEqual([{ x: 'us', y: 'kept' }]);
  });

  it('are groups where columns are decided together', async () => {
    const table = await threeValues({ groups: [['x', 'y']], policy: 'register', columns: { n: 'counter' } });
    await regions.exchange();
    const [register] = await siblingsIn(us, table);
    expect(register).toMatchObject({ columns: ['x', 'y'], shown: { x: 'us', y: '-' } });
    await set(eu, table, `y = 'of both'`);
    expect(await beside(table)).toEqual([]);
  });

  it('that a person accepts, or chooses, stand no more', async () => {
    const table = await threeValues();
    await regions.exchange();
    const { text } = await get(eu, `/v1/conflicts?table=${table}&region=ap`);
    const { id } = (JSON.parse(text) as { items: { id: string }[] }).items[0]!;
    const resolve = (body: object) =>
      httpCall(servers.get(eu!)!.url, 'POST', `/v1/conflicts/${id}/resolve`, JSON.stringify(body));
    expect((await resolve({ strategy: 'accept' })).status).toBe(200);
    expect(await beside(table)).toEqual(['eu']);
    const undone = await httpCall(servers.get(eu!)!.url, 'POST', `/v1/conflicts/${id}/undo`, '{}');
    expect(JSON.parse(undone.text)).toMatchObject({ status: 'open' });
    expect(await beside(table)).toEqual(['ap', 'eu']);
    expect((await resolve({ strategy: 'version', version: { origin: 'ap', id: await idOf(ap!, table) } })).status).toBe(
      200,
    );
    expect(await beside(table)).toEqual([]);
    expect((await eu!.user.query(`SELECT x FROM ${table}`)).rows).toEqual([{ x: 'ap' }]);
  });

  const idOf = async (region: RealRegion, table: string): Promise<number> => {
    const [row] = await region.read(
      `SELECT loser ->> 'id' FROM meridian.conflict WHERE rel = 'public.${table}' AND region = '${region.name}'`,
    );
    return Number(row);
  };
});
