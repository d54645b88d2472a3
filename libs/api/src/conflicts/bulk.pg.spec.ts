import { BulkAnswer, Problem } from '@meridian/contract';
import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';
import { recordConflict } from './conflict.builder.js';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion();
  await us.sql('CREATE TABLE items (id int PRIMARY KEY, name text CHECK (name <> $$bad$$))');
  await us.enrol('public.items');
});
afterAll(() => us.stop());
beforeEach(async () => {
  await us.sql('TRUNCATE items, meridian.conflict, meridian.decision');
  await us.sql(`INSERT INTO items SELECT n, 'winner' FROM generate_series(1, 6) n`);
  for (let n = 1; n <= 6; n++) await record(n, n === 4 ? 'bad' : `loser ${n}`);
});

const record = (n: number, name: string, key = n): Promise<void> =>
  recordConflict(us, {
    ...{ id: `c${n}`, key: [String(key)], at: n, region: n % 2 === 0 ? 'eu' : 'us' },
    versions: [
      { origin: 'us', id: n, values: { name } },
      { origin: 'eu', id: n, values: { name: 'winner' } },
    ],
    overwritten: [{ columns: ['name'], lost: { name } }],
    result: { id: String(n), name: 'winner' },
  });
const post = (body: object) => httpCall(us.url, 'POST', '/v1/conflicts:resolve', JSON.stringify(body));
const bulk = async (body: object): Promise<BulkAnswer> => {
  const answer = await post(body);
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, '']);
  expect(answer.headers.get('meridian-session')).not.toBeNull();
  return BulkAnswer.parse(JSON.parse(answer.text));
};
const code = async (body: object): Promise<string> => Problem.parse(JSON.parse((await post(body)).text)).code;
const names = async (): Promise<unknown[]> =>
  (await us.sql('SELECT name FROM items ORDER BY id')).map((r) => r['name']);
const ids = (items: readonly { readonly id: string }[]): string[] => items.map((i) => i.id);

describe('conflicts by filter', () => {
  it('says of a dry run how many and which, and changes nothing', async () => {
    const answer = await bulk({ strategy: 'loser', dryRun: true, filter: { table: 'items', region: 'us' } });
    expect(answer).toMatchObject({ dryRun: true, matched: 3, resolved: 0, next: null });
    expect(ids(answer.items)).toEqual(['c1', 'c3', 'c5']);
    expect(new Set(await names())).toEqual(new Set(['winner']));
    expect(await us.sql('SELECT FROM meridian.decision')).toEqual([]);
  });

  it('writes the losers back, one refused keeping none of the others, and goes on with `next`', async () => {
    const first = await bulk({ filter: {}, strategy: 'loser', limit: 4, note: 'all of them' });
    expect(ids(first.items)).toEqual(['c1', 'c2', 'c3']);
    expect(first.refused).toMatchObject([{ id: 'c4', code: 'check_violation' }]);
    const second = await bulk({ filter: {}, strategy: 'loser', limit: 4, cursor: first.next });
    expect(second).toMatchObject({ resolved: 2, next: null });
    expect(await names()).toEqual(['loser 1', 'loser 2', 'loser 3', 'winner', 'loser 5', 'loser 6']);
    expect(await bulk({ filter: {}, strategy: 'winner' })).toMatchObject({ resolved: 1, items: [{ id: 'c4' }] });
    expect(await bulk({ filter: {}, strategy: 'winner' })).toMatchObject({ resolved: 0, refused: [] });
  });

  it('leaves of several of one row the newest', async () => {
    await record(7, 'newest', 1);
    await bulk({ strategy: 'loser', filter: { since: '2026-01-01T00:00:01Z' } });
    expect((await names())[0]).toBe('newest');
  });

  it("takes each conflict's version of one region, and overrules what the filter names with a note", async () => {
    await bulk({ strategy: 'winner', filter: { region: 'us' } });
    const decided = { filter: { status: 'resolved' }, strategy: { origin: 'us' } };
    expect((await bulk(decided)).refused.map((r) => r.code)).toEqual([
      'note_required',
      'note_required',
      'note_required',
    ]);
    expect(await bulk({ ...decided, note: 'us knows' })).toMatchObject({ resolved: 3, refused: [] });
    expect(await names()).toEqual(['loser 1', 'winner', 'loser 3', 'winner', 'loser 5', 'winner']);
    const { refused } = await bulk({ filter: {}, strategy: { origin: 'ap' } });
    expect(new Set(refused.map((r) => r.code))).toEqual(new Set(['unresolvable']));
  });

  it('refuses what it cannot do', async () => {
    expect(await code({ filter: {}, strategy: 'best' })).toBe('invalid_document');
    expect(await code({ strategy: 'loser' })).toBe('invalid_document');
    expect(await code({ strategy: 'loser', filter: { sinse: 1 } })).toBe('invalid_document');
    expect(await code({ strategy: 'loser', filter: { status: 'withdrawn' } })).toBe('invalid_document');
    expect(await code({ filter: {}, strategy: 'loser', limit: 1001 })).toBe('invalid_document');
    expect(await code({ filter: {}, strategy: { origin: 'mars' } })).toBe('unknown_region');
    expect(await code({ strategy: 'loser', filter: { table: 'nothing' } })).toBe('table_not_enrolled');
    expect(await code({ filter: {}, strategy: 'loser', cursor: 'x' })).toBe('bad_cursor');
  });
});
