import { type HttpAnswer, httpCall, restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;

beforeAll(async () => {
  us = await restRegion();
  await us.sql(`CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, qty int DEFAULT 7 CHECK (qty >= 0), tags text[], price numeric, doc jsonb, code text UNIQUE,
                total bigint GENERATED ALWAYS AS (qty * 2) STORED)`);
  await us.sql(
    'CREATE TABLE parts (item bigint REFERENCES items, place varchar(3), note text, PRIMARY KEY (item, place))',
  );
  for (const table of ['items', 'parts']) await us.enrol(`public.${table}`);
});
afterAll(() => us.stop());
beforeEach(() => us.sql('TRUNCATE items, parts, meridian.idempotency'));

const call = (method: string, path: string, body?: string, headers?: Record<string, string>) =>
  httpCall(us.url, method, path, body, headers);
const problem = (answer: HttpAnswer) =>
  JSON.parse(answer.text) as { code: string; detail: string; column?: string; status: number };
const REPRESENT = { prefer: 'return=representation' };
const insert = (rows: string) => call('POST', '/v1/data/items', rows);

describe('rows over REST', () => {
  it('inserts a row, reads it by key, changes and deletes it', async () => {
    expect(await insert('{"id":1,"name":"pen"}')).toMatchObject({ status: 201, text: '' });
    const read = await call('GET', '/v1/data/items/1');
    expect(read.text).toBe('{"id":1,"name":"pen","qty":7,"tags":null,"price":null,"doc":null,"code":null,"total":14}');
    expect(read.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(read.headers.get('meridian-region')).toBe('us');
    expect(read.headers.get('meridian-session')).toBeTruthy();
    expect((await call('PATCH', '/v1/data/items/1', '{"qty":3}')).status).toBe(204);
    expect((await call('GET', '/v1/data/public.items/1?select=qty,n:name')).text).toBe('{"qty":3,"n":"pen"}');
    expect((await call('DELETE', '/v1/data/items/1')).status).toBe(204);
    expect((await call('GET', '/v1/data/items/1')).status).toBe(404);
    expect(problem(await call('PATCH', '/v1/data/items/1', '{"qty":3}')).code).toBe('row_not_found');
  });

  it('keeps every digit of long numbers, on the way in and on the way out', async () => {
    const price = '12345678901234567890.12345678901234567890123456789012345678';
    await insert(`{"id":9007199254740993,"name":"x","price":${price},"doc":{"n":9007199254740993}}`);
    expect((await call('GET', '/v1/data/items/9007199254740993?select=id,price,doc')).text).toBe(
      `{"id":9007199254740993,"price":${price},"doc":{"n": 9007199254740993}}`,
    );
    expect((await call('PUT', '/v1/data/items/9007199254740993', '{"id":9007199254740993,"name":"y"}')).status).toBe(
      204,
    );
    expect(
      problem(await call('PUT', '/v1/data/items/9007199254740993', '{"id":9007199254740992,"name":"y"}')).code,
    ).toBe('bad_body');
  });

  it("answers a list in PostgREST's manner, with ranges and counts", async () => {
    await insert('[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}]');
    const page = await call('GET', '/v1/data/items?select=id&order=id.desc&limit=2', undefined, {
      prefer: 'count=exact',
    });
    expect(page).toMatchObject({ status: 206, text: '[{"id":3},{"id":2}]' });
    expect(page.headers.get('content-range')).toBe('0-1/3');
    const range = await call('GET', '/v1/data/items?select=id&order=id', undefined, { range: '1-1' });
    expect(range.text).toBe('[{"id":2}]');
    expect(range.headers.get('content-range')).toBe('1-1/*');
    expect((await call('GET', '/v1/data/items?or=(id.eq.1,and(id.gt.2,name.not.eq.x))&select=id&order=id')).text).toBe(
      '[{"id":1},{"id":3}]',
    );
    expect((await call('GET', '/v1/data/items?id=in.(1,3)&select=id&order=id')).text).toBe('[{"id":1},{"id":3}]');
    expect((await call('GET', '/v1/data/items?offset=9', undefined, { prefer: 'count=exact' })).status).toBe(416);
    expect(
      (await call('GET', '/v1/data/items?id=gt.9', undefined, { prefer: 'count=exact' })).headers.get('content-range'),
    ).toBe('*/0');
  });

  it('compares arrays, JSON and patterns', async () => {
    await insert(
      '[{"id":1,"name":"red pen","tags":["a","b"],"doc":{"x":1}},{"id":2,"name":"Ink","tags":["c"],"doc":{"x":2}}]',
    );
    const ids = async (query: string) => (await call('GET', `/v1/data/items?select=id&order=id&${query}`)).text;
    expect(await ids('tags=cs.{a}')).toBe('[{"id":1}]');
    expect(await ids('tags=ov.{b,c}')).toBe('[{"id":1},{"id":2}]');
    expect(await ids('tags=cd.{c,d}')).toBe('[{"id":2}]');
    expect(await ids(`doc=cs.${encodeURIComponent('{"x":1}')}`)).toBe('[{"id":1}]');
    expect(await ids('name=ilike.*INK*')).toBe('[{"id":2}]');
    expect(await ids('name=not.like.red*')).toBe('[{"id":2}]');
    expect(await ids('code=is.null&tags=not.is.null')).toBe('[{"id":1},{"id":2}]');
  });

  it('upserts, in bulk and by a unique key', async () => {
    await insert('[{"id":1,"name":"a","code":"x","qty":1}]');
    const merged = await call(
      'POST',
      '/v1/data/items?select=id,name,qty',
      '[{"id":1,"name":"b"},{"id":2,"name":"c"}]',
      { prefer: 'resolution=merge-duplicates, return=representation' },
    );
    expect(merged).toMatchObject({ status: 201, text: '[{"id":1,"name":"b","qty":1},{"id":2,"name":"c","qty":7}]' });
    await call('POST', '/v1/data/items?on_conflict=code', '{"id":9,"name":"z","code":"x"}', {
      prefer: 'resolution=ignore-duplicates',
    });
    expect(JSON.parse((await call('GET', '/v1/data/items?select=id')).text)).toHaveLength(2);
    expect(problem(await insert('{"id":1,"name":"a"}')).code).toBe('unique_violation');
    expect(
      problem(
        await call('POST', '/v1/data/items?on_conflict=qty', '{"id":1,"name":"a"}', {
          prefer: 'resolution=merge-duplicates',
        }),
      ).code,
    ).toBe('conflict_target_unknown');
  });

  it('writes nothing of a bulk insert when one row fails', async () => {
    expect((await insert('[{"id":1,"name":"a"},{"id":2,"name":null}]')).status).toBe(422);
    expect((await call('GET', '/v1/data/items')).text).toBe('[]');
  });

  it('changes and deletes by filter, and never without one', async () => {
    await insert('[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}]');
    const changed = await call('PATCH', '/v1/data/items?id=gte.2&select=id', '{"qty":0}', REPRESENT);
    expect(changed).toMatchObject({ status: 200, text: '[{"id":2},{"id":3}]' });
    expect(changed.headers.get('content-range')).toBe('*/2');
    expect(problem(await call('PATCH', '/v1/data/items', '{"qty":0}')).code).toBe('filter_required');
    expect(problem(await call('DELETE', '/v1/data/items')).code).toBe('filter_required');
    expect((await call('DELETE', '/v1/data/items?qty=eq.0')).status).toBe(204);
    expect((await call('GET', '/v1/data/items?select=id')).text).toBe('[{"id":1}]');
  });

  it('passes over no filter where the path or the body names the row', async () => {
    await call('POST', '/v1/data/items', '{"id":70,"name":"kept"}');
    for (const [method, path, body] of [
      ['GET', '/v1/data/items/70?name=eq.other', undefined],
      ['PATCH', '/v1/data/items/70?name=eq.other', '{"name":"x"}'],
      ['PUT', '/v1/data/items/70?limit=1', '{"name":"x"}'],
      ['DELETE', '/v1/data/items/70?name=eq.other', undefined],
      ['POST', '/v1/data/items?name=eq.other', '{"id":71,"name":"x"}'],
    ] as const) {
      const { status, text } = await call(method, path, body);
      expect([method, status, (JSON.parse(text) as { code: string }).code]).toEqual([method, 400, 'bad_filter']);
    }
    expect(JSON.parse((await call('GET', '/v1/data/items?id=in.(70,71)&select=id,name')).text)).toEqual([
      { id: 70, name: 'kept' },
    ]);
    await call('DELETE', '/v1/data/items/70');
  });

  it('puts a whole row: new, over an old one, with defaults for what is not named', async () => {
    expect((await call('PUT', '/v1/data/items/5', '{"name":"a","qty":1}')).status).toBe(201);
    const second = await call('PUT', '/v1/data/items/5?select=name,qty', '{"name":"b"}', REPRESENT);
    expect(second).toMatchObject({ status: 200, text: '{"name":"b","qty":7}' });
  });

  it('writes only over the row that was read, when an ETag says which', async () => {
    await insert('{"id":1,"name":"a","qty":1}');
    const etag = (await call('GET', '/v1/data/items/1')).headers.get('etag')!;
    expect((await call('GET', '/v1/data/items/1', undefined, { 'if-none-match': etag })).status).toBe(304);
    const changed = await call('PATCH', '/v1/data/items/1', '{"qty":2}', { 'if-match': etag, ...REPRESENT });
    expect(changed.status).toBe(200);
    for (const [method, body] of [
      ['PATCH', '{"qty":3}'],
      ['PUT', '{"name":"b"}'],
      ['DELETE', undefined],
    ] as const)
      expect(problem(await call(method, '/v1/data/items/1', body, { 'if-match': etag }))).toMatchObject({
        status: 412,
        code: 'precondition_failed',
      });
    const fresh = { 'if-match': changed.headers.get('etag')! };
    expect((await call('PUT', '/v1/data/items/1', '{"name":"b"}', fresh)).status).toBe(204);
    expect((await call('GET', '/v1/data/items/1?select=name,qty')).text).toBe('{"name":"b","qty":7}');
    expect((await call('PUT', '/v1/data/items/77', '{"name":"b"}', { 'if-match': '*' })).status).toBe(412);
  });

  it('takes no precondition that it would not look at', async () => {
    await insert('{"id":1,"name":"a","qty":1}');
    for (const [method, path, body, header] of [
      ['PATCH', '/v1/data/items?id=eq.1', '{"qty":2}', 'if-match'],
      ['DELETE', '/v1/data/items?id=eq.1', undefined, 'if-match'],
      ['POST', '/v1/data/items', '{"id":2,"name":"b"}', 'if-match'],
      ['PUT', '/v1/data/items/1', '{"name":"b"}', 'if-none-match'],
      ['PATCH', '/v1/data/items/1', '{"qty":2}', 'if-none-match'],
    ] as const)
      expect(problem(await call(method, path, body, { [header]: '"00"' })).code).toBe('bad_header');
    expect((await call('GET', '/v1/data/items?select=id,name,qty')).text).toBe('[{"id":1,"name":"a","qty":1}]');
  });

  it('lets one of many writers with the same ETag through', async () => {
    await insert('{"id":1,"name":"a","qty":1}');
    const etag = (await call('GET', '/v1/data/items/1')).headers.get('etag')!;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        call('PATCH', '/v1/data/items/1', `{"qty":${i + 10}}`, { 'if-match': etag }),
      ),
    );
    expect(answers.map((a) => a.status).sort()).toEqual([204, ...Array<number>(11).fill(412)]);
  });

  it('finds rows by composite keys, and does not round or cut a key to its type', async () => {
    await insert('{"id":1,"name":"a"}');
    await call('POST', '/v1/data/parts', '[{"item":1,"place":"a,b"},{"item":1,"place":"abc"}]');
    expect((await call('GET', `/v1/data/parts/${encodeURIComponent('1,"a,b"')}?select=place`)).text).toBe(
      '{"place":"a,b"}',
    );
    expect((await call('PUT', '/v1/data/parts/1,xyz', '{"note":"n"}')).status).toBe(201);
    expect((await call('GET', '/v1/data/parts/1,abcd')).status).toBe(404);
    expect((await call('PUT', '/v1/data/parts/1,abcd', '{}')).status).toBe(422);
    expect(problem(await call('GET', '/v1/data/parts/1')).code).toBe('bad_key');
  });

  it('reports violated constraints by their kind and name', async () => {
    await insert('{"id":1,"name":"a"}');
    await call('POST', '/v1/data/parts', '{"item":1,"place":"x"}');
    expect(problem(await insert('{"id":2,"name":"a","qty":-1}'))).toMatchObject({
      status: 422,
      code: 'check_violation',
      constraint: 'items_qty_check',
    });
    expect(problem(await insert('{"id":2}'))).toMatchObject({
      status: 422,
      code: 'not_null_violation',
      column: 'name',
    });
    expect(problem(await call('POST', '/v1/data/parts', '{"item":9,"place":"x"}'))).toMatchObject({
      status: 409,
      code: 'foreign_key_violation',
    });
    expect(problem(await call('DELETE', '/v1/data/items/1'))).toMatchObject({
      status: 409,
      code: 'foreign_key_violation',
    });
    expect(problem(await insert('{"id":2,"name":"a","total":1}'))).toMatchObject({
      status: 400,
      code: 'column_not_writable',
    });
    expect(problem(await insert('{"id":2,"name":"x","qty":"many"}'))).toMatchObject({
      status: 422,
      code: 'invalid_value',
      column: 'qty',
    });
    expect(problem(await call('GET', '/v1/data/items/many'))).toMatchObject({ status: 422, code: 'invalid_value' });
    expect(problem(await call('GET', '/v1/data/items?doc=ov.{a}'))).toMatchObject({
      status: 400,
      code: 'operator_not_for_type',
    });
  });

  it('hands the actor and the program to the database', async () => {
    await us.sql(
      `CREATE OR REPLACE FUNCTION note_actor() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE parts SET note = concat_ws(' with ', current_setting('meridian.actor', true), current_setting('meridian.application', true)); RETURN NULL; END $$`,
    );
    await us.sql('CREATE TRIGGER t AFTER UPDATE ON items FOR EACH STATEMENT EXECUTE FUNCTION note_actor()');
    await insert('{"id":1,"name":"a"}');
    await call('POST', '/v1/data/parts', '{"item":1,"place":"x"}');
    await call('PATCH', '/v1/data/items/1', '{"qty":1}', { 'meridian-actor': 'ann', 'user-agent': 'curl/8 ü' });
    await us.sql('DROP TRIGGER t ON items');
    expect((await call('GET', '/v1/data/parts/1,x?select=note')).text).toBe('{"note":"ann with curl/8 ?"}');
  });
});

describe('a retry with its Idempotency-Key', () => {
  const KEY = { 'idempotency-key': 'k1' };

  it('is answered as the first was, and writes nothing', async () => {
    const first = await call('POST', '/v1/data/items?select=id', '{"id":1,"name":"a"}', { ...KEY, ...REPRESENT });
    expect(first).toMatchObject({ status: 201, text: '[{"id":1}]' });
    const again = await call('POST', '/v1/data/items?select=id', '{"id":1,"name":"a"}', { ...KEY, ...REPRESENT });
    expect(again).toMatchObject({ status: 201, text: '[{"id":1}]' });
    expect(again.headers.get('meridian-session')).toBe(first.headers.get('meridian-session'));
    expect(await us.sql('SELECT key, status FROM meridian.idempotency')).toEqual([{ key: 'k1', status: 201 }]);
  });

  it('is refused with another body, and keeps nothing of what failed', async () => {
    expect((await call('POST', '/v1/data/items', '{"id":1,"qty":-1,"name":"a"}', KEY)).status).toBe(422);
    expect((await call('POST', '/v1/data/items', '{"id":1,"name":"a"}', KEY)).status).toBe(201);
    expect(problem(await call('POST', '/v1/data/items', '{"id":2,"name":"a"}', KEY))).toMatchObject({
      status: 422,
      code: 'idempotency_key_reused',
    });
  });

  it('waits for the first when both come at once', async () => {
    await us.sql('CREATE TABLE IF NOT EXISTS tallies (id serial PRIMARY KEY, n int)');
    await us.enrol('public.tallies');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call('POST', '/v1/data/tallies', '{"n":1}', KEY)),
    );
    expect(answers.map((a) => a.status)).toEqual(Array(8).fill(201));
    expect(await us.sql('SELECT count(*)::int FROM tallies')).toEqual([{ count: 1 }]);
  });
});

describe('a transaction over REST', () => {
  const tx = (operations: string, more = '') => call('POST', '/v1/tx', `{"operations":[${operations}]${more}}`);

  it('does all of it, keeping every digit', async () => {
    const answer = await tx(
      `{"op":"insert","table":"items","rows":[{"id":9007199254740993,"name":"a"},{"id":2,"name":"b"}]},
       {"op":"update","table":"public.items","key":[9007199254740993],"values":{"price":0.10000000000000000000000001}},
       {"op":"replace","table":"items","key":["3"],"values":{"name":"c"}},
       {"op":"delete","table":"items","filter":"id=eq.2"},
       {"op":"insert","table":"items","rows":{"id":3,"name":"d"},"resolution":"merge-duplicates"}`,
      ',"return":"representation"',
    );
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"id":9007199254740993');
    expect((await call('GET', '/v1/data/items?select=id,name,price&order=id')).text).toBe(
      '[{"id":3,"name":"d","price":null},{"id":9007199254740993,"name":"a","price":0.10000000000000000000000001}]',
    );
  });

  it('does none of it when one part fails, meets no row, or a changed one', async () => {
    const first = '{"op":"insert","table":"items","rows":{"id":1,"name":"a"}}';
    for (const [second, code] of [
      ['{"op":"insert","table":"items","rows":{"id":1,"name":"a"}}', 'unique_violation'],
      ['{"op":"update","table":"items","key":[9],"values":{"qty":1}}', 'row_not_found'],
      ['{"op":"delete","table":"items","key":[1],"ifMatch":"\\"x\\""}', 'precondition_failed'],
      ['{"op":"update","table":"items","values":{"qty":1}}', 'filter_required'],
      ['{"op":"update","table":"items","filter":"id=eq.1","ifMatch":"\\"x\\"","values":{"qty":1}}', 'bad_body'],
      ['{"op":"delete","table":"items","key":[1],"ifMatch":"x"}', 'bad_body'],
      ['{"op":"delete","table":"items","key":[1,2]}', 'bad_key'],
      ['{"op":"delete","table":"secrets","key":[1]}', 'table_not_enrolled'],
      ['{"op":"drop","table":"items"}', 'invalid_document'],
    ] as const) {
      expect(problem(await tx(`${first},${second}`)).code).toBe(code);
      expect((await call('GET', '/v1/data/items')).text).toBe('[]');
    }
  });
});
