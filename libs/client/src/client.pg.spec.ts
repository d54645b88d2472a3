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

  it('decides conflicts as somebody, in its session, and only what it has looked at', async () => {
    const parts = client.rows<Part>('parts');
    await parts.insert({ item: 7, place: 'x', n: 1 });
    const loser = `{"origin":"us","id":1,"op":"update","stamp":"1","wall":"2026-01-01T00:00:00Z","actor":"a","values":{"n":"5"}}`;
    await us.sql(`INSERT INTO meridian.conflict VALUES ('c1', 'public.parts', '["7","x"]', 'update_origin_differs', 'us', 'open', '${loser}',
      '[${loser}]', null, '[{"columns":["n"],"policy":"hlc","winner":{"origin":"eu","id":2},"lost":{"n":"5"},"result":{"n":"1"},"reason":"later"}]',
      '{"n":"1"}', 'later', now(), now())`);
    const desk = client.desk('ann');
    const { version } = await desk.assign('c1', 'ann');
    await desk.note('c1', 'mine');
    await expect(desk.undo('c1', { version })).rejects.toMatchObject({ code: 'conflict_changed' });
    await desk.snooze('c1', null);
    expect(await desk.undo('c1', { note: 'ours' })).toMatchObject({
      status: 'resolved',
      decision: { by: 'ann', note: 'ours' },
    });
    expect((await parts.get([7, 'x']))?.row.n).toBe(5);
    expect((await desk.reopen('c1')).status).toBe('open');
    expect(await desk.resolveAll({ filter: {}, strategy: 'winner', dryRun: true })).toMatchObject({ matched: 1 });
    expect(await desk.resolve('c1', { strategy: 'accept' })).toMatchObject({ assignee: 'ann', note: { text: 'mine' } });
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
