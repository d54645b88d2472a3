import { parseKey } from '@meridian/core';
import { restRegion, type RestRegion } from '@meridian/testkit';
import * as fc from 'fast-check';
import { MeridianClient } from './meridian-client.js';
import { keyText } from './rows.js';

let us: RestRegion;
let client: MeridianClient;
beforeAll(async () => {
  us = await restRegion();
  await us.sql('CREATE TABLE parts (item bigint, place text, n int, PRIMARY KEY (item, place))');
  await us.enrol('public.parts');
  client = new MeridianClient(us.url);
});
afterAll(() => us.stop());

interface Part {
  item: bigint | number;
  place: string;
  n: number | null;
}

describe('the client', () => {
  it('writes and reads rows, with keys of any text and integers of any length', async () => {
    const parts = client.rows<Part>('parts');
    const key = [9007199254740993n, 'a,"b\\c/ü?'] as const;
    await parts.insert({ item: key[0], place: key[1], n: 1 }, { idempotencyKey: 'one', actor: 'ann' });
    await parts.insert({ item: key[0], place: key[1], n: 1 }, { idempotencyKey: 'one', actor: 'ann' });
    expect(await parts.text({ select: 'item,n', n: 'eq.1' })).toBe('[{"item":9007199254740993,"n":1}]');
    const found = await parts.get(key);
    await parts.update(key, { n: 2 }, { ifMatch: found!.etag });
    await expect(parts.update(key, { n: 3 }, { ifMatch: found!.etag })).rejects.toMatchObject({
      code: 'precondition_failed',
    });
    await parts.put(key, { n: 4 });
    expect((await parts.get(key))?.row.n).toBe(4);
    await parts.delete(key);
    expect(await parts.get(key)).toBeNull();
  });

  it('carries its session, and reads what the other calls answer', async () => {
    await client.transaction([{ op: 'insert', table: 'parts', rows: [{ item: 1, place: 'x' }] }]);
    expect(client.session.token).not.toBeNull();
    expect((await client.visibility(client.session.token!)).items).toHaveLength(3);
    expect((await client.enrol('public.parts', { delete: 'by-stamp' })).policy.delete).toBe('by-stamp');
    expect((await client.tables()).items).toHaveLength(1);
    expect((await client.conflicts({ limit: 5 })).items).toEqual([]);
    expect((await client.cluster()).region).toBe('us');
    expect((await client.ready())?.status).toBe('ok');
    await client.removeTable('public.parts');
  });

  it('tells a refusal, another server, and silence apart', async () => {
    await expect(client.rows('nothing').list()).rejects.toMatchObject({
      code: 'table_not_enrolled',
      message: expect.stringMatching(/trace [0-9a-f]{32}/) as string,
    });
    await expect(new MeridianClient('http://127.0.0.1:1').cluster()).rejects.toMatchObject({ code: 'unreachable' });
    expect(await new MeridianClient('http://127.0.0.1:1').ready()).toBeNull();
  });

  it('writes keys as the service reads them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 }), (parts) => {
        expect(parseKey(keyText(parts), parts.length)).toEqual(parts);
      }),
    );
  });
});
