import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion({ sessionWaitMs: 300 });
  await us.sql('CREATE TABLE items (id int PRIMARY KEY)');
  await us.enrol('public.items');
});
afterAll(() => us.stop());
beforeEach(() => us.sql('TRUNCATE meridian.applied, meridian.change, meridian.tick'));

const token = (vector: object) => Buffer.from(JSON.stringify({ v: vector })).toString('base64url');
const vectorOf = (answer: { headers: Headers }) =>
  (JSON.parse(Buffer.from(answer.headers.get('meridian-session')!, 'base64url').toString()) as { v: object }).v;
const read = (headers: Record<string, string> = {}) => httpCall(us.url, 'GET', '/v1/data/items', undefined, headers);
/** When the region's vector was last asked for, by connection. */
const LOOKS = `SELECT query_start::text AS at FROM pg_stat_activity
  WHERE datname = current_database() AND query = 'SELECT origin, seq FROM meridian.applied' AND query_start > $1::timestamptz`;
const code = (answer: { text: string }) => (JSON.parse(answer.text) as { code: string }).code;

describe('a session token', () => {
  it('stands for all that was seen: what is applied, what came in with the request, and what no tick holds yet', async () => {
    await us.applied('eu', 5);
    await us.applied('us', 3);
    expect(vectorOf(await read({ 'meridian-session': token({ eu: 2, us: 9 }) }))).toEqual({ eu: 5, us: 9 });
    await us.sql(
      `INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor) VALUES ('us', 'public.items', 'i', '[1]', 1, 1, 1, 'x')`,
    );
    expect(vectorOf(await read())).toEqual({ eu: 5, us: 5 });
    await us.sql(
      `INSERT INTO meridian.tick (origin, seq, snapshot, deps, stamp, wall, previous, digest, changes) VALUES ('us', 4, pg_current_snapshot(), '{}', 1, 1, '', '', 1)`,
    );
    expect(vectorOf(await read())).toEqual({ eu: 5, us: 3 });
  });

  it('names, after a write, a tick that surely holds it, and has ticks cut up to it', async () => {
    await us.applied('us', 3);
    const answer = await httpCall(us.url, 'POST', '/v1/data/items', '{"id":1}');
    expect(vectorOf(answer)).toEqual({ us: 5 });
    expect(us.promised.at(-1)).toBe(5);
  });

  it('I8: holds a reader until the region has all of it, and lets it go at once then', async () => {
    await us.applied('eu', 1);
    let answered = false;
    const [{ begun }] = (await us.sql<{ begun: string }>('SELECT clock_timestamp()::text AS begun')) as [
      { begun: string },
    ];
    const reading = read({ 'meridian-session': token({ eu: 2 }) }).finally(() => (answered = true));
    // The second look at the vector says that the first was not enough.
    const looks = new Set<string>();
    while (!answered && looks.size < 2)
      for (const { at } of await us.sql<{ at: string }>(LOOKS, [begun])) looks.add(at);
    expect(answered).toBe(false);
    await us.applied('eu', 2);
    expect(await reading).toMatchObject({ status: 200 });
  });

  it('I8: refuses after the deadline rather than show less, and says what is missing', async () => {
    await us.applied('eu', 1);
    const answer = await read({ 'meridian-session': token({ eu: 4 }) });
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 503,
      code: 'session_not_reached',
      missing: [{ origin: 'eu', need: 4, have: 1 }],
    });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(
      (await httpCall(us.url, 'POST', '/v1/data/items', '{"id":2}', { 'meridian-session': token({ eu: 4 }) })).status,
    ).toBe(503);
    expect((await read({ 'meridian-session': token({ eu: 4 }), 'meridian-consistency': 'eventual' })).status).toBe(200);
  });

  it('does not wait for its own region, whose writes are in this database', async () => {
    expect((await read({ 'meridian-session': token({ us: 1000 }) })).status).toBe(200);
  });

  it('is refused when it is damaged, of another cluster, or none', async () => {
    for (const bad of [
      '%%%',
      token({ eu: -1 }),
      token({ eu: 1.5 }),
      token({ mars: 1 }),
      token([]),
      Buffer.from('{"v":{"__proto__":{"x":1}}}').toString('base64url'),
      'e30',
      'x'.repeat(9000),
    ])
      expect(code(await read({ 'meridian-session': bad }))).toBe('bad_token');
  });

  it('tells which regions have what it stands for', async () => {
    await us.applied('eu', 5, { deps: { us: 3, eu: 4 } });
    await us.applied('ap', 2, { deps: { eu: 5 } });
    await us.applied('us', 4);
    const answer = await httpCall(us.url, 'GET', `/v1/visibility?token=${token({ us: 3, eu: 5 })}`);
    const { everywhere, items } = JSON.parse(answer.text) as {
      everywhere: boolean;
      items: { region: string; visible: boolean; missing: object[] }[];
    };
    expect(everywhere).toBe(false);
    expect(items.map((r) => [r.region, r.visible])).toEqual([
      ['us', true],
      ['eu', true],
      ['ap', false],
    ]);
    expect(items[2]!.missing).toEqual([{ origin: 'us', need: 3, have: 0 }]);
    expect(code(await httpCall(us.url, 'GET', '/v1/visibility?token=x'))).toBe('bad_token');
  });
});

describe('consistency levels', () => {
  it('bounded staleness answers within its bound, and refuses beyond it or without news', async () => {
    await us.applied('eu', 1);
    const bounded = (seconds: string) => read({ 'meridian-consistency': `bounded; max-staleness=${seconds}` });
    expect(JSON.parse((await bounded('5')).text)).toMatchObject({
      code: 'staleness_bound_not_met',
      origins: [{ origin: 'ap', stalenessMs: null }],
    });
    await us.applied('ap', 1);
    expect((await bounded('5')).status).toBe(200);
    await us.applied('eu', 2, { wallMs: Date.now() - 60_000 });
    expect(code(await bounded('5'))).toBe('staleness_bound_not_met');
    expect((await bounded('120')).status).toBe(200);
  });

  it('says plainly what is not available yet, and what cannot be read', async () => {
    expect(await read({ 'meridian-consistency': 'quorum; w=2' })).toMatchObject({ status: 501 });
    expect(await read({ 'meridian-consistency': 'strong' })).toMatchObject({ status: 501 });
    for (const bad of ['best', 'bounded', 'bounded; max-staleness=soon', 'session; x=1', ''])
      expect(code(await read({ 'meridian-consistency': bad }))).toBe('bad_consistency');
  });
});
