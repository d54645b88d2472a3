import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { PROBLEMS, Problem, type ProblemCode } from '@meridian/contract';
import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion({ bodyLimitBytes: 200_000 });
  await us.sql('CREATE TABLE items (id bigint PRIMARY KEY, name text, n numeric, doc jsonb, raw json)');
  await us.sql(`CREATE SCHEMA "My ""Schema"`);
  await us.sql(
    `CREATE TABLE "My ""Schema"."x'; drop table items; --" ("id""; --" int PRIMARY KEY, "order" int, "__proto__" text, "constructor" text, "ключ" text)`,
  );
  await us.sql('CREATE TABLE secrets (id int PRIMARY KEY)');
  for (const table of ['public.items', `"My ""Schema"."x'; drop table items; --"`]) await us.enrol(table);
});
afterAll(() => us.stop());
beforeEach(() => us.sql('TRUNCATE items'));

const call = (
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers?: Record<string, string>,
) => httpCall(us.url, method, path, body, headers);
const code = async (
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers?: Record<string, string>,
): Promise<ProblemCode> => {
  const answer = await call(method, path, body, headers);
  const document = Problem.parse(JSON.parse(answer.text));
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(document.status).toBe(answer.status);
  expect(answer.status).toBe(PROBLEMS[document.code].status);
  expect(document.traceId).toMatch(/^[0-9a-f]{32}$/);
  return document.code;
};
const INJECTIONS = [
  `'; drop table items; --`,
  `"; drop table items; --`,
  `1) or (1=1`,
  `$1`,
  `\\`,
  `'`,
  `"`,
  `items" union select * from secrets --`,
  `\u0000`,
  '../..',
  '%27',
];

describe('injections', () => {
  it('through every position are values, unknown names or bad syntax, never SQL', async () => {
    await call('POST', '/v1/data/items', '{"id":1,"name":"kept"}');
    for (const text of INJECTIONS) {
      const it = encodeURIComponent(text);
      const json = JSON.stringify(text);
      for (const path of [
        `/v1/data/${it}`,
        `/v1/data/items/${it}`,
        `/v1/data/items?${it}=eq.1`,
        `/v1/data/items?id=${it}.1`,
        `/v1/data/items?id=eq.${it}`,
        `/v1/data/items?select=${it}`,
        `/v1/data/items?select=${it}:id`,
        `/v1/data/items?order=${it}`,
        `/v1/data/items?order=id.${it}`,
        `/v1/data/items?limit=${it}`,
        `/v1/data/items?offset=${it}`,
        `/v1/data/items?id=in.(${it})`,
        `/v1/data/items?or=(${it})`,
        `/v1/data/items?or=(id.eq.${it})`,
        `/v1/conflicts?cursor=${it}`,
        `/v1/conflicts?table=${it}`,
        `/v1/conflicts/${it}`,
        `/v1/changes?since=${it}`,
        `/v1/tables/${it}`,
        `/v1/visibility?token=${it}`,
      ]) {
        const { status, text: body } = await call('GET', path);
        expect([path, status < 500]).toEqual([path, true]);
        expect(body).not.toMatch(/syntax error at or near|unterminated/);
      }
      const writes = [
        call('POST', '/v1/data/items', `{${json}:1,"id":5}`),
        call('POST', `/v1/data/items?columns=${it}`, '{"id":1}'),
        call('POST', `/v1/data/items?on_conflict=${it}`, '{"id":1}', { prefer: 'resolution=merge-duplicates' }),
        call('PATCH', '/v1/data/items/1', `{${json}:1}`),
        call('POST', '/v1/tx', `{"operations":[{"op":"delete","table":${json},"filter":${json}}]}`),
        call('PUT', `/v1/data/items/${it}`, '{}'),
      ];
      for (const { status, text: body } of await Promise.all(writes)) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        expect(body).not.toMatch(/syntax error at or near|unterminated/);
      }
    }
    expect((await call('GET', '/v1/data/items?select=id,name')).text).toBe('[{"id":1,"name":"kept"}]');
  });

  it('odd names that PostgreSQL allows are names: of tables, columns and JSON keys', async () => {
    const path = `/v1/data/${encodeURIComponent(`"My ""Schema"."x'; drop table items; --"`)}`;
    const row = `{"id\\"; --":1,"order":2,"__proto__":"p","constructor":"c","ключ":"ü"}`;
    expect((await call('POST', path, row)).status).toBe(201);
    const filter = `${encodeURIComponent('"id""; --"')}=eq.1&${encodeURIComponent('"order"')}=eq.2&__proto__=eq.p&constructor=eq.c&${encodeURIComponent('ключ')}=eq.${encodeURIComponent('ü')}`;
    expect((await call('GET', `${path}?${filter}`)).text).toBe(`[${row}]`);
    expect((await call('PATCH', `${path}/1`, '{"__proto__":"q"}')).status).toBe(204);
    expect((await call('GET', `${path}/1?select=__proto__`)).text).toBe('{"__proto__":"q"}');
    expect(({} as Record<string, unknown>)['p']).toBeUndefined();
  });

  it('what is not UTF-8 is no filter, and a wrong method is told with the right ones', async () => {
    expect(await code('GET', '/v1/data/items?name=eq.%ff')).toBe('bad_request');
    expect((await call('GET', '/v1/data/items?name=eq.%c3%bc%25')).status).toBe(200);
    const answer = await call('DELETE', '/v1/conflicts/c1/resolve');
    expect([answer.status, answer.headers.get('allow'), JSON.parse(answer.text)]).toMatchObject([
      405,
      'POST',
      { code: 'method_not_allowed' },
    ]);
    expect(await code('GET', '/v1/nothing')).toBe('not_found');
  });

  it("other tables, catalogs and Meridian's own are not to be had", async () => {
    for (const table of [
      'secrets',
      'pg_catalog.pg_authid',
      'meridian.change',
      'meridian.idempotency',
      'information_schema.tables',
    ])
      expect(await code('GET', `/v1/data/${table}`)).toBe('table_not_enrolled');
  });
});

describe('bodies', () => {
  it('are refused when too large, zipped, not UTF-8, no JSON, or of another type', async () => {
    expect(await code('POST', '/v1/data/items', `{"id":1,"name":"${'x'.repeat(200_000)}"}`)).toBe('body_too_large');
    expect(
      await code('POST', '/v1/data/items', new Uint8Array(gzipSync('{"id":1}')), { 'content-encoding': 'gzip' }),
    ).toBe('unsupported_media_type');
    expect(await code('POST', '/v1/data/items', new Uint8Array([0x22, 0xff, 0x22]))).toBe('bad_json');
    expect(await code('POST', '/v1/data/items', 'id=1', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(
      'unsupported_media_type',
    );
    for (const body of [
      '{',
      '{"id":01}',
      '{"id":1,}',
      '[1,]',
      "{'id':1}",
      '{"id":1}x',
      'NaN',
      '{"a":"\u0001"}',
      '"\\x"',
      '[',
      '-',
      '"',
    ])
      expect([body, await code('POST', '/v1/data/items', body)]).toEqual([body, 'bad_json']);
    for (const body of ['1', 'null', '[1]', '[[{"id":1}]]', '"x"', '[{"id":1},{"name":"x"}]', '{"id":1,"id":2}', ''])
      expect(await code('POST', '/v1/data/items', body)).toBe('bad_body');
  });

  it('that are deep or hold very many values cost nothing', async () => {
    expect(await code('POST', '/v1/data/items', `{"id":1,"doc":${'['.repeat(90_000)}${']'.repeat(90_000)}}`)).toBe(
      'bad_json',
    );
    expect(await code('PUT', '/v1/tables/items', `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`)).toBe('bad_json');
    const keys = Array.from({ length: 15_000 }, (_, i) => `"k${i}":1`).join();
    expect(await code('POST', '/v1/data/items', `{${keys}}`)).toBe('unknown_column');
    expect((await call('POST', '/v1/data/items', `{"id":1,"doc":{${keys}}}`)).status).toBe(201);
  });

  it('keep what PostgreSQL keeps, and say what it cannot', async () => {
    expect(
      (await call('POST', '/v1/data/items', '{"id":1,"n":1e400,"raw":{"a":1,"a":2},"doc":{"a":1,"a":2}}')).status,
    ).toBe(201);
    const { text } = await call('GET', '/v1/data/items/1?select=raw,doc');
    expect(text).toBe('{"raw":{"a":1,"a":2},"doc":{"a": 2}}');
    expect(await code('POST', '/v1/data/items', '{"id":2,"name":"a\\u0000b"}')).toBe('invalid_value');
    expect(await code('POST', '/v1/data/items', '{"id":2,"doc":{"a":"\\u0000"}}')).toBe('invalid_value');
    expect(await code('POST', '/v1/data/items', '{"id":2,"name":"\\ud800"}')).toBe('invalid_value');
    expect(await code('POST', '/v1/data/items', '{"id":99999999999999999999}')).toBe('invalid_value');
    expect(await code('GET', '/v1/data/items?name=eq.%00')).toBe('bad_filter');
    expect(await code('GET', '/v1/data/items/%00')).toBe('invalid_value');
  });
});

describe('requests that are malformed', () => {
  it('have a problem document too, when the server itself refuses them', async () => {
    expect(await code('GET', '/v1/nothing')).toBe('not_found');
    expect(await code('GET', '/v1/data/%E0%A4%A')).toBe('bad_request');
    expect(await code('GET', '/v1/data/items', undefined, { 'if-none-match': 'x' })).toBe('bad_header');
    expect(await code('POST', '/v1/data/items', '{"id":1}', { 'idempotency-key': 'x'.repeat(300) })).toBe('bad_header');
    for (const [query, expected] of [
      ['id=eq', 'bad_filter'],
      ['id=is.maybe', 'bad_filter'],
      [`or=${'('.repeat(500)}`, 'bad_filter'],
      [`or=${'(or'.repeat(40)}(id.eq.1${')'.repeat(41)}`, 'bad_filter'],
      ['limit=-1', 'bad_limit'],
      ['order=id.up', 'bad_order'],
      ['select=a->>b', 'bad_select'],
      ['id=eq.x', 'invalid_value'],
    ] as const)
      expect([query, await code('GET', `/v1/data/items?${query}`)]).toEqual([query, expected]);
  });

  it('have one when the head is too large', async () => {
    const head = 'x'.repeat(20_000);
    const answer = await rawly(us.url, `GET /livez HTTP/1.1\r\nhost: x\r\nmeridian-session: ${head}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"code":"head_too_large"/s);
    expect(await rawly(us.url, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"code":"bad_request"/s);
  });
});

/** Sends bytes, and reads until the server hangs up. */
const rawly = (url: string, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });

describe('under abuse', () => {
  it('a sender who never ends is ended, and others are served meanwhile', async () => {
    const other = await restRegion({ requestTimeoutMs: 500 });
    const slow = rawly(
      other.url,
      'POST /v1/data/items HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    expect((await httpCall(other.url, 'GET', '/livez')).status).toBe(200);
    expect(await slow).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
    await other.stop();
  });

  it('more requests than can wait are refused at once, and the rest are answered when the database is free again', async () => {
    await call('POST', '/v1/data/items', '{"id":1,"n":0}');
    const blocker = new Client({ connectionString: us.databaseUrl });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM items WHERE id = 1 FOR UPDATE');
    const answers = Array.from({ length: 400 }, () => call('PATCH', '/v1/data/items/1', '{"n":1}'));
    const first = await Promise.race(answers);
    expect(first.status).toBe(503);
    expect(first.headers.get('retry-after')).toBe('1');
    expect(JSON.parse(first.text)).toMatchObject({ code: 'overloaded' });
    await blocker.query('COMMIT');
    await blocker.end();
    const statuses = (await Promise.all(answers)).map((a) => a.status);
    expect(new Set(statuses)).toEqual(new Set([204, 503]));
    expect(statuses.filter((s) => s === 204).length).toBeGreaterThan(100);
    expect((await call('PATCH', '/v1/data/items/1', '{"n":2}')).status).toBe(204);
  });
});

describe('any request at all', () => {
  it('is answered or refused, and never fails the service', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom('eq.1', 'in.(1)', 'or', '(id.eq.1)', 'select', 'id', 'not.', '"', '*', '{"id":1}', '[{}]', '{}'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE'),
        fc.constantFrom('items', 'items/1', 'nothing'),
        text,
        text,
        fc.oneof(text, fc.json()),
        async (method, path, name, value, body) => {
          const query = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
          const { status } = await call(
            method,
            `/v1/data/${path}?${query}`,
            method === 'GET' || method === 'DELETE' ? undefined : body,
          );
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
  });
});
