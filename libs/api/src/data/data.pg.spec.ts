import { restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;

beforeAll(async () => {
  us = await restRegion();
  await us.sql(`CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, qty int DEFAULT 7 CHECK (qty >= 0), tags text[], price numeric, doc jsonb, code text UNIQUE,
                total bigint GENERATED ALWAYS AS (qty * 2) STORED)`);
  await us.enrol('public.items');
});
afterAll(() => us.stop());
beforeEach(() => us.sql('TRUNCATE items'));

const call = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${us.url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const problem = (answer: { text: string }) => JSON.parse(answer.text) as { code: string; detail: string; column?: string; status: number };
const REPRESENT = { prefer: 'return=representation' };

describe('rows over REST', () => {
  it('inserts a row, reads it by key, changes and deletes it', async () => {
    expect(await call('POST', '/v1/data/items', '{"id":1,"name":"pen"}')).toMatchObject({ status: 201, text: '' });
    const read = await call('GET', '/v1/data/items/1');
    expect(read.text).toBe('{"id":1,"name":"pen","qty":7,"tags":null,"price":null,"doc":null,"code":null,"total":14}');
    expect(read.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(read.headers.get('meridian-region')).toBe('us');
    expect(read.headers.get('meridian-session')).toBeTruthy();
    expect((await call('PATCH', '/v1/data/items/1', '{"qty":3}')).status).toBe(204);
    expect((await call('GET', '/v1/data/public.items/1?select=qty,n:name')).text).toBe('{"qty":3,"n":"pen"}');
    expect((await call('DELETE', '/v1/data/items/1')).status).toBe(204);
    expect((await call('GET', '/v1/data/items/1')).status).toBe(404);
  });

  it('keeps every digit of long numbers, on the way in and on the way out', async () => {
    const price = '12345678901234567890.12345678901234567890123456789012345678';
    await call('POST', '/v1/data/items', `{"id":9007199254740993,"name":"x","price":${price},"doc":{"n":9007199254740993}}`);
    expect((await call('GET', '/v1/data/items/9007199254740993?select=id,price,doc')).text).toBe(
      `{"id":9007199254740993,"price":${price},"doc":{"n": 9007199254740993}}`,
    );
  });

  it('answers a list in PostgREST\'s manner, with ranges and counts', async () => {
    await call('POST', '/v1/data/items', '[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}]');
    const page = await call('GET', '/v1/data/items?select=id&order=id.desc&limit=2', undefined, { prefer: 'count=exact' });
    expect(page).toMatchObject({ status: 206, text: '[{"id":3},{"id":2}]' });
    expect(page.headers.get('content-range')).toBe('0-1/3');
    const range = await call('GET', '/v1/data/items?select=id&order=id', undefined, { range: '1-1' });
    expect(range.text).toBe('[{"id":2}]');
    expect(range.headers.get('content-range')).toBe('1-1/*');
    expect((await call('GET', '/v1/data/items?or=(id.eq.1,and(id.gt.2,name.not.eq.x))&select=id&order=id')).text).toBe('[{"id":1},{"id":3}]');
    expect((await call('GET', '/v1/data/items?id=in.(1,3)&select=id&order=id')).text).toBe('[{"id":1},{"id":3}]');
    expect((await call('GET', '/v1/data/items?offset=9', undefined, { prefer: 'count=exact' })).status).toBe(416);
  });

  it('names the column whose value does not suit its type', async () => {
    const answer = await call('POST', '/v1/data/items', '{"id":1,"name":"x","qty":"many"}');
    expect(answer.status).toBe(422);
    expect(problem(answer)).toMatchObject({ code: 'invalid_value', column: 'qty' });
  });
});
