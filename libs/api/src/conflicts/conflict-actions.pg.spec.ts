import { Conflict, Problem } from '@meridian/contract';
import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';
import { recordConflict, type SaidConflict } from './conflict.builder.js';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion();
  await us.sql(
    `CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, qty numeric CHECK (qty >= 0), doc jsonb,
       stock int NOT NULL DEFAULT 0, twice numeric GENERATED ALWAYS AS (qty * 2) STORED, email text UNIQUE)`,
  );
  await us.enrol('public.items');
  await us.sql(`UPDATE meridian.enrolled_table SET spec = '{"counters": ["stock"]}'`);
});
afterAll(() => us.stop());
beforeEach(async () => {
  await us.sql('TRUNCATE items, meridian.conflict, meridian.decision, meridian.triage');
  await us.sql(
    `INSERT INTO items (id, name, qty, doc, stock) OVERRIDING SYSTEM VALUE VALUES (1, 'from eu', 1.50, '{"a": 1}', 10)`,
  );
});

const post = (path: string, body?: string, headers?: Record<string, string>) =>
  httpCall(us.url, 'POST', `/v1/conflicts/${path}`, body, headers);
const done = async (path: string, body?: string, headers?: Record<string, string>): Promise<Conflict> => {
  const answer = await post(path, body, headers);
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, '']);
  const conflict = Conflict.parse(JSON.parse(answer.text));
  expect(answer.headers.get('etag')).toBe(`"${conflict.version}"`);
  expect(answer.headers.get('meridian-session')).not.toBeNull();
  return conflict;
};
const refused = async (path: string, body?: string, headers?: Record<string, string>): Promise<Problem> => {
  const problem = Problem.parse(JSON.parse((await post(path, body, headers)).text));
  expect(problem.detail).not.toBe('');
  return problem;
};
const conflict = async (id: string): Promise<Conflict> =>
  Conflict.parse(JSON.parse((await httpCall(us.url, 'GET', `/v1/conflicts/${id}`)).text));
const row = async (id = 1): Promise<object | undefined> =>
  (await us.sql(`SELECT name, qty::text, doc::text, stock, email FROM items WHERE id = $1`, [id]))[0];

/** us wrote name and doc, eu's write of them won. */
const LOST: SaidConflict = {
  id: 'c1',
  versions: [
    { origin: 'us', id: 7, values: { name: 'from us', doc: '{"b": 12345678901234567890}', stock: '5' } },
    { origin: 'eu', id: 9, values: { name: 'from eu' }, stamp: '2' },
  ],
  overwritten: [{ columns: ['name'], lost: { name: 'from us' }, result: { name: 'from eu' } }],
  result: { id: '1', name: 'from eu', qty: '1.50', doc: '{"a": 1}', stock: '10' },
};

describe('undo', () => {
  it('writes back what was overwritten, and nothing else', async () => {
    await recordConflict(us, LOST);
    const after = await done('c1/undo', undefined, { 'meridian-actor': 'ann' });
    expect(after).toMatchObject({
      status: 'resolved',
      decision: {
        strategy: 'undo',
        by: 'ann',
        region: 'us',
        written: { before: { name: 'from eu' }, after: { name: 'from us' } },
      },
    });
    expect(await row()).toEqual({ name: 'from us', qty: '1.50', doc: '{"a": 1}', stock: 10, email: null });
  });

  it('of a decision puts back what the row held before it, and opens the conflict; counters go back by the difference', async () => {
    await recordConflict(us, LOST);
    await done('c1/resolve', '{"strategy":"value","value":{"name":"both","stock":12},"note":"asked them"}');
    await us.sql(`UPDATE items SET stock = stock + 3, qty = 4`);
    expect(await done('c1/undo', '{"note":"a mistake"}')).toMatchObject({
      status: 'open',
      decision: { strategy: 'undone', note: 'a mistake', written: { after: { name: 'from eu', stock: '13' } } },
    });
    expect(await row()).toMatchObject({ name: 'from eu', stock: 13, qty: '4' });
    expect(await done('c1/undo')).toMatchObject({ status: 'resolved', decision: { strategy: 'undo' } });
    expect(await row()).toMatchObject({ name: 'from us' });
  });

  it('restores a row whose delete won, counters counted, its identity as it was', async () => {
    await us.sql('DELETE FROM items');
    await recordConflict(us, {
      id: 'c1',
      kind: 'update_deleted',
      versions: [
        { origin: 'us', id: 7, values: { name: 'from us', stock: '5' } },
        { origin: 'eu', id: 9, op: 'delete' },
      ],
      base: {
        id: '1',
        name: 'old',
        qty: '2',
        doc: '"text"',
        stock: '10',
        twice: '4',
        gone: 'a column that was dropped',
      },
      overwritten: [{ columns: [], lost: { name: 'from us', stock: '5' } }],
    });
    expect(await done('c1/undo')).toMatchObject({ decision: { written: { before: null } } });
    expect(await row()).toEqual({ name: 'from us', qty: '2', doc: '"text"', stock: 15, email: null });
    await done('c1/undo');
    expect(await row()).toBeUndefined();
  });

  it('deletes a row that was kept against its delete, and brings all of it back', async () => {
    await recordConflict(us, {
      ...LOST,
      kind: 'delete_origin_differs',
      versions: [{ origin: 'us', id: 7, op: 'delete' }, LOST.versions[1]!],
      overwritten: [{ columns: [], lost: {} }],
    });
    await done('c1/undo');
    expect(await row()).toBeUndefined();
    await done('c1/undo');
    expect(await row()).toEqual({ name: 'from eu', qty: '1.50', doc: '{"a": 1}', stock: 10, email: null });
  });

  it('of a parked row is refused while another holds its key, and a value for it brings the row back', async () => {
    await us.sql(`UPDATE items SET email = 'x@y.z'`);
    await recordConflict(us, {
      id: 'c1',
      key: ['2'],
      kind: 'insert_exists',
      versions: [
        { origin: 'us', id: 7, op: 'insert', values: { id: '2', name: 'parked', email: 'x@y.z', stock: '3' } },
      ],
      result: { id: '2', name: 'parked', email: 'x@y.z', stock: '4' },
    });
    expect(await refused('c1/undo')).toMatchObject({ status: 409, code: 'unique_violation', table: 'public.items' });
    expect(await conflict('c1')).toMatchObject({ status: 'open', decision: null });
    await done('c1/resolve', '{"strategy":"value","value":{"email":"x2@y.z"},"note":"they have two"}');
    expect(await row(2)).toEqual({ name: 'parked', qty: null, doc: null, stock: 4, email: 'x2@y.z' });
  });

  it('says that a row is gone since, rather than write half of one', async () => {
    await recordConflict(us, LOST);
    await us.sql('DELETE FROM items');
    expect(await refused('c1/undo')).toMatchObject({ status: 404, code: 'row_not_found' });
  });
});

describe('resolve', () => {
  it('takes a version by its place or by its change, all contested columns or some', async () => {
    await recordConflict(us, LOST);
    await done('c1/resolve', '{"strategy":"version","version":0}');
    expect(await row()).toMatchObject({ name: 'from us', doc: '{"a": 1}', stock: 10 });
    await done('c1/undo');
    expect(
      await done('c1/resolve', '{"strategy":"version","version":{"origin":"us","id":7},"columns":["doc"]}'),
    ).toMatchObject({ decision: { strategy: 'version', version: { origin: 'us', id: 7 } } });
    expect(await row()).toMatchObject({ name: 'from eu', doc: '{"b": 12345678901234567890}' });
  });

  it('takes a value with every digit, and types as PATCH takes them', async () => {
    await recordConflict(us, LOST);
    const value = '{"qty": 12345678901234567890.123, "doc": {"n": 1.10}, "name": "néw"}';
    await done('c1/resolve', `{"strategy":"value","value":${value},"note":"by hand"}`);
    expect(await row()).toMatchObject({ qty: '12345678901234567890.123', doc: '{"n": 1.10}', name: 'néw' });
  });

  it('accepts the row as it is, which needs no table', async () => {
    await recordConflict(us, { ...LOST, table: 'public.forgotten' });
    expect(await done('c1/resolve', '{"strategy":"accept"}')).toMatchObject({
      status: 'resolved',
      decision: { strategy: 'accept', written: null },
    });
    await done('c1/undo');
    expect(await refused('c1/undo')).toMatchObject({ code: 'table_not_enrolled' });
  });

  it("is refused by the database as a row's write is, and leaves the conflict open", async () => {
    await recordConflict(us, LOST);
    const value = (json: string) => refused('c1/resolve', `{"strategy":"value","value":${json},"note":"x"}`);
    expect(await value('{"qty":-1}')).toMatchObject({ status: 422, code: 'check_violation' });
    expect(await value('{"qty":"many"}')).toMatchObject({ status: 422, code: 'invalid_value', column: 'qty' });
    expect(await value('{"name":null}')).toMatchObject({ code: 'not_null_violation' });
    expect(await value('{"colour":1}')).toMatchObject({ code: 'unknown_column' });
    expect(await value('{"twice":1}')).toMatchObject({ code: 'column_not_writable' });
    expect(await value('{"id":2}')).toMatchObject({ code: 'unresolvable' });
    expect(await value('{}')).toMatchObject({ code: 'bad_body' });
    expect(await conflict('c1')).toMatchObject({ status: 'open', decision: null });
    expect(await us.sql('SELECT * FROM meridian.decision')).toEqual([]);
  });

  it('is refused with what there is to choose from', async () => {
    await recordConflict(us, LOST);
    const version = (json: string) => refused('c1/resolve', `{"strategy":"version",${json}}`);
    expect((await version('"version":2')).detail).toContain('0 (origin us, id 7), 1 (origin eu, id 9)');
    expect(await version('"version":{"origin":"ap","id":7}')).toMatchObject({ status: 422, code: 'unresolvable' });
    expect((await version('"version":0,"columns":["qty"]')).detail).toContain('it has name, doc');
    expect(await version('"version":-1')).toMatchObject({ code: 'invalid_document' });
    for (const body of ['{"strategy":"value"}', '{"strategy":"best"}', '[]', '{"strategy":"accept","more":1}'])
      expect(await refused('c1/resolve', body)).toMatchObject({ status: 422, code: 'invalid_document' });
    expect(await refused('c1/resolve', '{')).toMatchObject({ code: 'bad_json' });
    expect(await refused('c1/resolve')).toMatchObject({ code: 'bad_body' });
    expect(await refused('none/resolve', '{"strategy":"accept"}')).toMatchObject({ code: 'conflict_not_found' });
    expect(await refused('%00/undo')).toMatchObject({ code: 'conflict_not_found' });
  });

  it('asks for a note with a value, and where somebody else has decided', async () => {
    await recordConflict(us, LOST);
    const accept = async (actor: string, note = '') =>
      post('c1/resolve', `{"strategy":"accept"${note}}`, {
        'meridian-actor': actor,
        'if-match': `"${(await conflict('c1')).version}"`,
      });
    expect(await refused('c1/resolve', '{"strategy":"value","value":{"name":"x"}}')).toMatchObject({
      status: 422,
      code: 'note_required',
    });
    expect((await accept('ann')).status).toBe(200);
    expect((await accept('ann')).status).toBe(200);
    expect(JSON.parse((await accept('bob')).text)).toMatchObject({
      code: 'note_required',
      detail: /^ann has/ as never,
    });
    expect((await accept('bob', ',"note":"I know better"')).status).toBe(200);
  });

  it('of what was withdrawn is refused: nothing is overwritten', async () => {
    await recordConflict(us, { ...LOST, status: 'withdrawn' });
    expect(await refused('c1/undo')).toMatchObject({ status: 409, code: 'conflict_withdrawn' });
  });
});

describe('If-Match', () => {
  it('lets an action pass only while the conflict is the one that was looked at', async () => {
    await recordConflict(us, LOST);
    const { version } = await conflict('c1');
    const etag = { 'if-match': `"${version}"` };
    const assigned = await done('c1/assign', '{"to":"ann"}', etag);
    for (const [path, body] of [
      ['c1/resolve', '{"strategy":"accept"}'],
      ['c1/undo', undefined],
      ['c1/note', '{"note":"x"}'],
    ] as const)
      expect(await refused(path, body, etag)).toMatchObject({
        status: 412,
        code: 'conflict_changed',
        version: assigned.version,
      });
    expect(await refused('c1/undo', undefined, { 'if-match': 'x' })).toMatchObject({ code: 'bad_header' });
    expect(await refused('c1/undo', undefined, { 'idempotency-key': 'x' })).toMatchObject({ code: 'bad_header' });
    await us.sql(`UPDATE meridian.conflict SET reason = 'a later arrival changed the winner'`);
    expect(await refused('c1/undo', undefined, { 'if-match': `"${assigned.version}"` })).toMatchObject({ status: 412 });
  });

  it('is needed to overrule a decision', async () => {
    await recordConflict(us, LOST);
    const decided = await done('c1/resolve', '{"strategy":"accept"}', { 'meridian-actor': 'ann' });
    const again = '{"strategy":"version","version":0,"note":"no"}';
    expect(await refused('c1/resolve', again)).toMatchObject({
      status: 409,
      code: 'conflict_decided',
      version: decided.version,
    });
    await done('c1/resolve', again, { 'if-match': `"${decided.version}"` });
    expect(await row()).toMatchObject({ name: 'from us' });
  });
});

describe('triage', () => {
  it('assigns, snoozes, notes and reopens, and takes each away again', async () => {
    await recordConflict(us, LOST);
    const ann = { 'meridian-actor': 'ann' };
    await done('c1/assign', '{"to":"bob"}', ann);
    await done('c1/snooze', '{"until":"2126-02-01T00:00:00Z"}', ann);
    expect(await done('c1/note', '{"note":"ask support"}', ann)).toMatchObject({
      status: 'open',
      assignee: 'bob',
      snoozedUntil: '2126-02-01T00:00:00Z',
      note: { text: 'ask support', by: 'ann', region: 'us' },
    });
    await done('c1/assign', '{"to":null}');
    await done('c1/snooze', '{"until":null}');
    expect(await done('c1/note', '{"note":null}')).toMatchObject({ assignee: null, snoozedUntil: null, note: null });
    for (const [path, body] of [
      ['c1/assign', '{}'],
      ['c1/snooze', '{"until":"soon"}'],
      ['c1/snooze', '{"until":"2026-01-01T00:00:00Z"}'],
      ['c1/note', '{"note":""}'],
      ['c1/note', '{"note":"a\\u0000b"}'],
    ] as const)
      expect(await refused(path, body)).toMatchObject({ code: 'invalid_document' });
    expect(await refused('c1/reopen')).toMatchObject({ status: 409, code: 'conflict_not_decided' });
    await done('c1/undo');
    expect(await done('c1/reopen', '{"note":"not yet"}')).toMatchObject({
      status: 'open',
      decision: { strategy: 'reopened', note: 'not yet' },
    });
    expect(await row()).toMatchObject({ name: 'from us' });
  });
});

describe('the list', () => {
  it('follows what was decided, page by page in every status', async () => {
    for (let at = 1; at <= 12; at++)
      await recordConflict(us, { ...LOST, id: `c${at}`, at, status: at % 4 === 0 ? 'withdrawn' : 'open' });
    for (const id of ['c1', 'c3', 'c5', 'c7', 'c9']) await done(`${id}/resolve`, '{"strategy":"accept"}');
    await done('c9/reopen');
    const all = async (status: string): Promise<string[]> => {
      const found: string[] = [];
      for (let next: string | null = ''; next !== null;) {
        const path = `/v1/conflicts?status=${status}&limit=2${next === '' ? '' : `&cursor=${next}`}`;
        const page = JSON.parse((await httpCall(us.url, 'GET', path)).text) as {
          items: Conflict[];
          next: string | null;
        };
        for (const item of page.items) expect(item.status).toBe(status);
        found.push(...page.items.map((i) => i.id));
        next = page.next;
      }
      return found;
    };
    expect(await all('open')).toEqual(['c11', 'c10', 'c9', 'c6', 'c2']);
    expect(await all('resolved')).toEqual(['c7', 'c5', 'c3', 'c1']);
    expect(await all('withdrawn')).toEqual(['c12', 'c8', 'c4']);
  });
});
