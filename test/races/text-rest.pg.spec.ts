import { RowText } from '@meridian/contract';
import { httpCall, serveRest } from '@meridian/testkit';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs';
import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

const FOX = 'The quick brown fox jumps over the lazy dog.';

describe('a text over REST', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  let table = '';
  const servers = new Map<RealRegion, Awaited<ReturnType<typeof serveRest>>>();
  useRegions(['eu', 'us'], async (opened) => {
    [eu, us] = (regions = opened).all;
    for (const region of regions.all) servers.set(region, await serveRest(region.url, { region: region.name }));
  });
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));
  beforeEach(async () => {
    table = await regions.items({ columns: { x: 'text', n: 'counter' } });
    await us!.user.query(`INSERT INTO ${table} VALUES (1, '${FOX}', '-')`);
    await regions.exchange();
  });

  const call = (method: string, path: string, body?: object, headers?: Record<string, string>, region = us) =>
    httpCall(servers.get(region!)!.url, method, `/v1/data/${path}`, body && JSON.stringify(body), headers);
  const textOf = ({ text }: { readonly text: string }): RowText => RowText.parse(JSON.parse(text));
  const read = async (region = us): Promise<RowText> =>
    textOf(await call('GET', `${table}/1/text/x`, undefined, {}, region));
  const edit = (body: object, headers?: Record<string, string>) => call('PATCH', `${table}/1/text/x`, body, headers);
  const set = (region: RealRegion | undefined, sql: string) =>
    region!.user.query(`UPDATE ${table} SET x = ${sql} WHERE id = 1`);
  const docOf = ({ yjs }: RowText): Doc => {
    const doc = new Doc();
    applyUpdate(doc, Buffer.from(yjs, 'base64'));
    return doc;
  };
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  /** What a client with a document of its own sends. */
  const updateOf = (from: RowText, work: (doc: Doc) => void): string => {
    const doc = docOf(from);
    work(doc);
    return base64(encodeStateAsUpdate(doc));
  };
  const replaced = (from: string, word: string, by: string) => [
    { retain: from.indexOf(word) },
    { delete: word.length },
    { insert: by },
  ];

  it('is the same in every region, bytes of its document included', async () => {
    const here = await read();
    expect(here.text).toBe(FOX);
    expect(await read(eu)).toEqual(here);
    expect(docOf(here).getText('text').toJSON()).toBe(FOX);
  });

  it('keeps edits of different words against an old version, by operations and by Yjs', async () => {
    const old = await read();
    await set(us, `replace(x, 'brown', 'red')`);
    const first = await edit({ base: old.version, ops: replaced(FOX, 'quick', 'slow') });
    expect([first.status, textOf(first).text]).toEqual([200, FOX.replace('brown', 'red').replace('quick', 'slow')]);
    const yjs = updateOf(old, (doc) => {
      doc.getText('text').delete(FOX.indexOf('lazy'), 'lazy dog'.length);
      doc.getText('text').insert(FOX.indexOf('lazy'), 'cat');
    });
    const second = textOf(await edit({ base: old.version, yjs }));
    expect(second.text).toBe('The slow red fox jumps over the cat.');
    expect(docOf(second).getText('text').toJSON()).toBe(second.text);
    await regions.equalRows(table);
    expect((await read(eu)).text).toBe(second.text);
  });

  it('takes what a client sends beyond the state vector that it began with', async () => {
    const old = await read();
    const doc = docOf(old);
    const began = encodeStateVector(doc);
    doc.getText('text').insert(0, 'Look: ');
    const answer = await edit({ base: old.version, yjs: base64(encodeStateAsUpdate(doc, began)) });
    expect(textOf(answer).text).toBe(`Look: ${FOX}`);
    expect(textOf(await edit({ base: textOf(answer).version, ops: [{ delete: 6 }] })).text).toBe(FOX);
  });

  it('finds a text again that nobody wrote, for it was merged', async () => {
    await set(us, `replace(x, 'brown', 'red')`);
    await set(eu, `replace(x, 'fox', 'hen')`);
    await regions.exchange();
    const merged = await read();
    expect(merged.text).toBe(FOX.replace('brown', 'red').replace('fox', 'hen'));
    await set(eu, `replace(x, 'dog', 'cow')`);
    await set(us, `replace(x, 'quick', 'slow')`);
    await regions.exchange();
    const answer = await edit({ base: merged.version, ops: replaced(merged.text!, 'lazy', 'busy') });
    expect(textOf(answer).text).toBe('The slow red hen jumps over the busy cow.');
  });

  it('makes every one of many edits at the same time', async () => {
    const { version } = await read();
    const words = ['a', 'b', 'c', 'd', 'e'];
    const answers = await Promise.all(words.map((w) => edit({ base: version, ops: [{ insert: `${w} ` }] })));
    expect(answers.map((a) => a.status)).toEqual(words.map(() => 200));
    const { text } = await read();
    expect(text!.slice(0, -FOX.length).trim().split(' ').sort()).toEqual(words);
  });

  it('makes an edit once per Idempotency-Key', async () => {
    const { version } = await read();
    const once = () => edit({ base: version, ops: [{ insert: 'Once. ' }] }, { 'idempotency-key': `once ${table}` });
    const [first, again] = [await once(), await once()];
    expect(again.text).toBe(first.text);
    expect((await read()).text).toBe(`Once. ${FOX}`);
  });

  it('begins a text where there is none', async () => {
    await set(us, 'NULL');
    const none = await read();
    expect(none.text).toBeNull();
    expect(textOf(await edit({ base: none.version, ops: [{ insert: '🦊' }] })).text).toBe('🦊');
  });

  it('refuses what does not fit, and changes nothing', async () => {
    await set(us, `'🦊 fox'`);
    const old = await read();
    const base = old.version;
    const of = (work: (doc: Doc) => void) => ({ base, yjs: updateOf(old, work) });
    const other = new Doc();
    other.getText('text').insert(0, 'another');
    const began = encodeStateVector(other);
    other.getText('text').insert(3, '-');
    const many = 'x '.repeat(6_000);
    const refusals: [object, number, string][] = [
      [{ base, ops: [{ retain: 7 }] }, 422, 'unfit_text_edit'],
      [{ base, ops: [{ delete: 7 }] }, 422, 'unfit_text_edit'],
      [{ base, ops: [{ retain: 1 }, { insert: 'x' }] }, 422, 'unfit_text_edit'],
      [{ base, ops: [{ insert: '\ud83e' }] }, 422, 'unfit_text_edit'],
      [{ base, ops: [{ insert: '\0' }] }, 422, 'invalid_value'],
      [{ base, ops: [{ retain: 0 }] }, 422, 'invalid_document'],
      [{ base, ops: [{ retain: 1.5 }] }, 422, 'invalid_document'],
      [{ base, ops: [{ retain: 1, insert: 'x' }] }, 422, 'invalid_document'],
      [{ base, ops: [] }, 422, 'invalid_document'],
      [{ base, ops: Array(10_001).fill({ insert: 'x' }) }, 422, 'invalid_document'],
      [{ base, ops: [{ insert: 'x' }], yjs: old.yjs }, 422, 'invalid_document'],
      [{ base, yjs: 'no base64!' }, 422, 'invalid_document'],
      [{ base, yjs: base64(Buffer.from('garbage')) }, 422, 'unfit_text_edit'],
      [{ base, yjs: base64(encodeStateAsUpdate(other, began)) }, 422, 'unfit_text_edit'],
      [of((doc) => doc.getMap('map').set('a', 1)), 422, 'unfit_text_edit'],
      [of((doc) => doc.getText('title').insert(0, 'x')), 422, 'unfit_text_edit'],
      [of((doc) => doc.getText('text').format(0, 2, { bold: true })), 422, 'unfit_text_edit'],
      [of((doc) => doc.getText('text').insertEmbed(0, { image: 'x' })), 422, 'unfit_text_edit'],
      [
        of((doc) => {
          for (let i = 0; i < many.length; i++) doc.getText('text').insert(0, 'x');
        }),
        422,
        'unfit_text_edit',
      ],
      [{ base: 'nonsense', ops: [{ insert: 'x' }] }, 400, 'bad_body'],
    ];
    for (const [i, [body, status, code]] of refusals.entries()) {
      const answer = await edit(body);
      expect([i, answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([i, status, code]);
    }
    expect(await read()).toEqual(old);
  });

  it('refuses versions that the log does not tell, columns that are no text, and rows that are not there', async () => {
    const { version } = await read();
    const asked = async (method: string, path: string, body?: object): Promise<unknown> => {
      const { status, text } = await call(method, path, body);
      return [status, (JSON.parse(text) as { code: string }).code];
    };
    const ops = [{ insert: 'x' }];
    const unknown = Buffer.from(JSON.stringify(['0'.repeat(64), ['us', 1]])).toString('base64url');
    expect(await asked('PATCH', `${table}/1/text/x`, { base: unknown, ops })).toEqual([410, 'text_version_expired']);
    await us!.user.query(`UPDATE ${table} SET x = 'new' WHERE id = 1; DELETE FROM meridian.change`);
    expect(await asked('PATCH', `${table}/1/text/x`, { base: version, ops })).toEqual([410, 'text_version_expired']);
    for (const column of ['y', 'n', 'none'])
      expect(await asked('GET', `${table}/1/text/${column}`)).toEqual([422, 'not_a_text']);
    expect(await asked('PATCH', `${table}/1/text/y`, { base: version, ops })).toEqual([422, 'not_a_text']);
    expect(await asked('GET', `${table}/2/text/x`)).toEqual([404, 'row_not_found']);
    expect(await asked('PATCH', `${table}/2/text/x`, { base: version, ops })).toEqual([404, 'row_not_found']);
    expect(await asked('GET', `no_table/1/text/x`)).toEqual([404, 'table_not_enrolled']);
    const { rows } = await us!.user.query(`SELECT x FROM ${table}`);
    expect(rows).toEqual([{ x: 'new' }]);
  });
});
