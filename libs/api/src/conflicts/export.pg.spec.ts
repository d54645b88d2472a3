import { Conflict, Problem } from '@meridian/contract';
import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';
import { recordConflict, type SaidConflict } from './conflict.builder.js';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion();
  await us.sql('CREATE TABLE items (id text PRIMARY KEY, name text, card text)');
  await us.enrol('public.items');
  await us.sql(`UPDATE meridian.enrolled_table SET spec = '{"keyColumns": ["id"]}'`);
});
afterAll(() => us.stop());
beforeEach(async () => {
  await us.sql('TRUNCATE items, meridian.conflict, meridian.decision');
  await us.sql(`UPDATE meridian.enrolled_table SET policy = '{}'`);
});

const exported = (query: string) => httpCall(us.url, 'GET', `/v1/conflicts/export?${query}`);
const lines = async (query: string): Promise<Conflict[]> =>
  (await exported(query)).text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Conflict.parse(JSON.parse(line)));

const LOST: SaidConflict = {
  id: 'c1',
  key: ['k1'],
  versions: [
    { origin: 'us', id: 7, values: { name: 'a "b", c', card: '4111-lost' } },
    { origin: 'eu', id: 9, values: { name: 'eu', card: '4111-won' } },
  ],
  base: { name: 'base', card: '4111-base' },
  overwritten: [{ columns: ['card'], lost: { card: '4111-lost' }, result: { card: '4111-won' } }],
  result: { id: 'k1', name: 'eu', card: '4111-won' },
};

describe('the export', () => {
  it('streams every record that the filter names, as the list shows them', async () => {
    for (let n = 1; n <= 450; n++) await recordConflict(us, { ...LOST, id: `c${n}`, at: n });
    const answer = await exported('');
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    expect((await lines('')).map((c) => c.id)).toEqual(Array.from({ length: 450 }, (_, i) => `c${450 - i}`));
    expect((await lines('since=2026-01-01T00:07:29Z')).map((c) => c.id)).toEqual(['c450', 'c449']);
    const listed = JSON.parse((await httpCall(us.url, 'GET', '/v1/conflicts?limit=1')).text) as { items: Conflict[] };
    expect((await lines(''))[0]).toEqual(listed.items[0]);
  });

  it('keeps the values of secret columns here: of all versions, base, result and decisions', async () => {
    await us.sql(`INSERT INTO items VALUES ('k1', 'eu', '4111-won')`);
    await us.sql(`UPDATE meridian.enrolled_table SET policy = '{"secret": ["card"]}'`);
    await recordConflict(us, LOST);
    await httpCall(us.url, 'POST', '/v1/conflicts/c1/undo');
    for (const format of ['ndjson', 'csv']) {
      const { text } = await exported(`format=${format}`);
      expect(text).not.toContain('4111');
      expect(text.split('[redacted]').length).toBe(10);
      expect(text).toContain('k1');
    }
    expect((await lines(''))[0]).toMatchObject({ result: { name: 'eu', card: '[redacted]' } });
    await us.sql(`UPDATE meridian.enrolled_table SET policy = '{"secret": ["id"]}'`);
    expect((await lines(''))[0]).toMatchObject({ key: ['[redacted]'], reason: '[redacted]' });
  });

  it('tells no values of a table that is not enrolled any more, nor of the rows that a decision wrote', async () => {
    await us.enrol('meridian.decision');
    await recordConflict(us, { ...LOST, table: 'public.gone' });
    await recordConflict(us, { ...LOST, id: 'c2', table: 'meridian.decision' });
    const all = await lines('');
    expect(all.map((c) => c.result)).toEqual(
      Array(2).fill({ id: '[redacted]', name: '[redacted]', card: '[redacted]' }),
    );
    expect(JSON.stringify(all)).not.toContain('4111');
    expect(all.map((c) => c.key)).toEqual([['k1'], ['[redacted]']]);
    await us.sql(`DELETE FROM meridian.enrolled_table WHERE rel = 'meridian.decision'`);
  });

  it('is CSV that quotes what it must, and holds nothing that a spreadsheet would run', async () => {
    await us.sql(`INSERT INTO items VALUES ('k1', 'eu', 'x')`);
    await recordConflict(us, LOST);
    await httpCall(us.url, 'POST', '/v1/conflicts/c1/undo', '{"note":"=cmd|x, \\"y\\"\\n-"}');
    const { text, headers } = await exported('format=csv');
    expect(headers.get('content-type')).toContain('text/csv');
    const [head, line, end] = text.split('\r\n');
    expect(head).toMatch(/^id,table,key,kind,region,status,reason,/);
    expect(line).toContain(`c1,public.items,"[""k1""]",update_origin_differs,us,resolved,because,us,7,update,1,`);
    expect(line).toContain(`"{""name"":""a \\""b\\"", c"",""card"":""4111-lost""}"`);
    expect(line).toContain(`,"'=cmd|x, ""y""\n-",`);
    expect(end).toBe('');
  });

  it('refuses a filter that it cannot read before it begins', async () => {
    for (const query of ['format=xml', 'limit=1', 'region=mars', 'since=x'])
      expect(Problem.parse(JSON.parse((await exported(query)).text)).status).toBeGreaterThanOrEqual(400);
  });
});
