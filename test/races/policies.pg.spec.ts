import type { RealRegion } from './real-region.js';
import { type RealRegions, useRegions } from './real-regions.js';

const DDL = `(
  id int PRIMARY KEY, first text, ranked text, decided text,
  most int, least numeric, latest timestamptz, on_ boolean DEFAULT false, off boolean DEFAULT true,
  body text DEFAULT '', short varchar(13) DEFAULT '', tags text[] DEFAULT '{}', seen int[] DEFAULT '{}', doc jsonb DEFAULT '{}', count int NOT NULL DEFAULT 0)`;
const POLICY = {
  columns: {
    ...{ first: 'first-write', ranked: { policy: 'region-priority', regions: ['us', 'eu'] }, decided: 'manual' },
    ...{ most: 'max', least: 'min', latest: 'max', on_: 'flag', off: { policy: 'flag', wins: 'disable' } },
    ...{ body: 'text', short: 'text', tags: 'set', seen: 'grow-set', doc: 'map' },
  },
};

describe('every policy on ordinary SQL columns, in three regions', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  let made = 0;
  let table = '';
  useRegions(['ap', 'eu', 'us'], (opened) => {
    [ap, eu, us] = (regions = opened).all;
  });

  async function begin(columns = '', values = ''): Promise<void> {
    table = `policy_${++made}`;
    await regions.enrol(`CREATE TABLE ${table} ${DDL}`, [table], POLICY);
    await us!.user.query(`INSERT INTO ${table} (id${columns}) VALUES (1${values})`);
    await regions.exchange();
  }
  const set = (region: RealRegion | undefined, what: string) =>
    region!.user.query(`UPDATE ${table} SET ${what} WHERE id = 1`);

  /** What all regions show of this expression. */
  async function shown(expression: string): Promise<unknown> {
    await regions.equalRows(table);
    const { rows } = await ap!.user.query(`SELECT ${expression} AS v FROM ${table} WHERE id = 1`);
    return (rows as { v: unknown }[])[0]?.v;
  }
  const reasons = async (): Promise<string[]> => (await regions.conflicts(table)).map((c) => c.reason);

  it.each([
    ['first', `first = 'of us'`, `first = 'of eu'`, 'of us', /first: us's write won: its stamp is .* earlier/],
    [
      'ranked',
      `ranked = 'of eu'`,
      `ranked = 'of ap'`,
      'of eu',
      /ranked: eu's write won: eu ranks first of them \(us, eu\)/,
    ],
    ['decided', `decided = 'of us'`, `decided = 'of eu'`, 'of eu', /decided: eu's write stands until a person decides/],
    ['most', 'most = 10', 'most = 9', 10, /most: \w+'s write won: of 10 and 9 it is the greatest/],
    ['least', 'least = 1e-3', 'least = 1', '0.001', /least: \w+'s write won: of 0.001 and 1 it is the least/],
    ['latest', `latest = 'infinity'`, `latest = '9999-01-01'`, Infinity, /latest: \w+'s write won: of infinity/],
    ['on_', 'on_ = true', `on_ = NULL`, true, /on_: us's write won: of concurrent values true wins/],
    ['off', 'off = false', 'off = NULL', false, /off: us's write won: of concurrent values false wins/],
  ])(
    '%s: by its policy and not by arrival, and the loser is recorded with the reason (I6, I3)',
    async (column, one, other, result, reason) => {
      await begin();
      const [first, second] = column === 'ranked' ? [eu, ap] : [us, eu];
      await set(first, one);
      await set(second, other);
      expect(await shown(column)).toEqual(result);
      expect(await reasons()).toEqual([expect.stringMatching(reason)]);
    },
  );

  it('a set keeps what either region adds, and a removal of what it has seen', async () => {
    await begin(', tags', `, '{red,"light blue"}'`);
    await set(us, `tags = array_append(tags, 'green')`);
    await set(eu, `tags = array_remove(tags, 'red') || '{"a,b",NULL}'::text[]`);
    expect(await shown('tags')).toEqual(['a,b', 'light blue', null, 'green']);
    expect(await reasons()).toEqual([]);
  });

  it('of an element that one region takes out and another puts in anew, adding wins', async () => {
    await begin(', tags', `, '{red}'`);
    await set(us, `tags = '{}'`);
    await set(eu, `tags = '{}'`);
    await set(eu, `tags = '{red}'`);
    expect(await shown('tags')).toEqual(['red']);
  });

  it('a set that one region alone wrote keeps its order, and a NULL stays one', async () => {
    await begin();
    await set(us, `tags = '{z,a,m}'`);
    expect(await shown('tags')).toEqual(['z', 'a', 'm']);
    await set(us, 'tags = NULL');
    await set(eu, 'tags = NULL');
    expect(await shown('tags')).toBeNull();
  });

  it('a grow-set refuses to lose an element, and keeps all', async () => {
    await begin(', seen', `, '{1}'`);
    await expect(set(us, `seen = '{2}'`)).rejects.toThrow(/"seen" of public.policy_\d+ is a grow-set/);
    await set(us, 'seen = seen || 2');
    await set(eu, 'seen = seen || 3');
    expect(await shown('seen')).toEqual([1, 2, 3]);
  });

  it('a map keeps what regions wrote under different keys, at any depth and to the last digit', async () => {
    await begin(', doc', `, '{"name": {"first": "Ada", "last": "L"}, "old": 1}'`);
    await set(us, `doc = jsonb_set(doc, '{name,first}', '"Augusta"')`);
    await set(eu, `doc = jsonb_set(doc, '{name,born}', '1815.00000000000000000000001') - 'old'`);
    await set(ap, `doc = doc || '{"tags": ["a", {"b": null}]}'`);
    expect(await shown('doc::text')).toBe(
      '{"name": {"born": 1815.00000000000000000000001, "last": "L", "first": "Augusta"}, "tags": ["a", {"b": null}]}',
    );
    expect(await reasons()).toEqual([]);
  });

  it('of one key of a map the later write wins, and the other one is recorded with its path', async () => {
    await begin(', doc', `, '{"a": {"b c": 1}}'`);
    await set(us, `doc = '{"a": {"b c": 2}, "us": true}'`);
    await set(eu, `doc = '{"a": {"b c": 3}, "eu": true}'`);
    expect(await shown('doc')).toEqual({ a: { 'b c': 3 }, us: true, eu: true });
    expect(await regions.conflicts(table)).toMatchObject([
      {
        region: 'us',
        reason: expect.stringMatching(/^doc\.a\["b c"\]: eu's write won/) as string,
        overwritten: [
          { columns: ['doc'], part: ['a', 'b c'], policy: 'map', lost: { doc: '2' }, result: { doc: '3' } },
        ],
      },
    ]);
  });

  it('a text keeps the words that regions changed beside each other, each once', async () => {
    await begin(', body', `, 'The quick brown fox jumps over the lazy dog.'`);
    await set(us, `body = replace(body, 'quick', 'slow')`);
    await set(eu, `body = replace(body, 'lazy dog', 'cat')`);
    await set(ap, `body = body || ' The end.'`);
    expect(await shown('body')).toBe('The slow brown fox jumps over the cat. The end.');
    expect(await reasons()).toEqual([]);
    await set(us, `body = upper(body)`);
    expect(await shown('body')).toBe('THE SLOW BROWN FOX JUMPS OVER THE CAT. THE END.');
  });

  it('what two regions did alike to a text is there once, signs outside of the BMP and NULL included', async () => {
    await begin(', body', `, 'a 🦊 b'`);
    await set(us, `body = 'a 🐺 b'`);
    await set(eu, `body = 'a 🐺 b'`);
    expect(await shown('body')).toBe('a 🐺 b');
    await set(us, 'body = NULL');
    await set(eu, 'body = NULL');
    expect(await shown('body')).toBeNull();
    await us!.user.query(`INSERT INTO ${table} (id, body) VALUES (4, 'one text')`);
    await eu!.user.query(`INSERT INTO ${table} (id, body) VALUES (4, 'one text')`);
    await us!.user.query(`UPDATE ${table} SET body = 'our ' || body WHERE id = 4`);
    await regions.equalRows(table);
    const { rows } = await ap!.user.query(`SELECT body FROM ${table} WHERE id = 4`);
    expect(rows).toEqual([{ body: 'our one text' }]);
  });

  it('a text that would be longer than its column takes is the later one, and the other is recorded', async () => {
    await begin(', short', `, 'ab cd'`);
    await set(us, `short = short || ' from us'`);
    await set(eu, `short = short || ' from eu'`);
    expect(await shown('short')).toBe('ab cd from eu');
    expect(await reasons()).toEqual([
      expect.stringMatching(/^short: eu's text stands whole \(2 edits .* make more than the 13 characters/),
    ]);
  });

  it('two inserts of one key unite their maps, and one that names no document takes nothing away', async () => {
    await begin();
    await us!.user.query(`INSERT INTO ${table} (id, doc) VALUES (2, '{"a": 1}'), (3, '{"a": 1}')`);
    await eu!.user.query(`INSERT INTO ${table} (id, doc) VALUES (2, '{"b": 2}')`);
    await eu!.user.query(`INSERT INTO ${table} (id) VALUES (3)`);
    await regions.equalRows(table);
    const { rows } = await ap!.user.query(`SELECT doc FROM ${table} WHERE id > 1 ORDER BY id`);
    expect(rows).toEqual([{ doc: { a: 1, b: 2 } }, { doc: { a: 1 } }]);
  });

  it('a document that is too deep or too large to merge is one leaf', async () => {
    await begin();
    const deep = (leaf: number) => `doc = (repeat('{"a":', 3000) || '${leaf}' || repeat('}', 3000))::jsonb`;
    await set(us, deep(1));
    await set(eu, deep(2));
    expect(await shown(`doc::text LIKE '%2}%'`)).toBe(true);
    const large = (key: string) => `doc = (SELECT jsonb_object_agg('${key}' || i, i) FROM generate_series(1, 20000) i)`;
    await set(us, large('u'));
    await set(eu, large('e'));
    expect(await shown(`doc ? 'e1' AND NOT doc ? 'u1'`)).toBe(true);
    expect((await regions.conflicts(table)).map((c) => c.overwritten.length)).toEqual([1, 1]);
  });

  it('a set of sets is refused where it is written', async () => {
    await begin();
    await expect(set(us, `tags = '{{a,b},{c,d}}'`)).rejects.toThrow(
      /"tags" of public.policy_\d+ is a set, and an array of arrays is none/,
    );
    await expect(us!.user.query(`INSERT INTO ${table} (id, tags) VALUES (2, '{{a}}')`)).rejects.toThrow(/is a set/);
  });

  it('a scalar where another region put an object: one of them, the same everywhere', async () => {
    await begin(', doc', `, '{"a": {"b": 1}}'`);
    await set(us, `doc = '{"a": "text"}'`);
    await set(eu, `doc = '{"a": {"b": 1, "c": 2}}'`);
    expect(await shown('doc')).toEqual({ a: { c: 2 } });
    expect(await reasons()).toEqual([expect.stringMatching(/^doc\.a: eu's write won/)]);
  });

  it('a deleted row that comes back has what was merged while it was gone', async () => {
    await begin(', tags, doc', `, '{red}', '{"a": 1}'`);
    await us!.user.query(`DELETE FROM ${table} WHERE id = 1`);
    await set(eu, `tags = tags || '{blue}'::text[], doc = doc || '{"b": 2}'`);
    await set(ap, `tags = tags || '{green}'::text[]`);
    expect(await shown('tags')).toEqual(['blue', 'green', 'red']);
    expect(await shown('doc')).toEqual({ a: 1, b: 2 });
  });

  it('a conflict under way while the policy changes is decided by the one its versions were written under, everywhere', async () => {
    table = `policy_${++made}`;
    await regions.enrol(`CREATE TABLE ${table} (id int PRIMARY KEY, note text)`, [table], { policy: 'hlc' });
    await us!.user.query(`INSERT INTO ${table} VALUES (1, 'base')`);
    await regions.exchange();
    await set(us, `note = 'of us'`);
    await set(eu, `note = 'of eu'`);
    await us!.cut();
    await eu!.takeFrom(us!);
    await regions.enrol('', [table], { policy: 'first-write' });
    expect(await shown('note')).toBe('of eu');
    expect(await reasons()).toEqual([expect.stringMatching(/^note: eu's write won: its stamp is .* later/)]);
    await set(us, `note = 'again of us'`);
    await set(eu, `note = 'again of eu'`);
    expect(await shown('note')).toBe('again of us');
  });

  it('what is merged part by part becomes so, or ceases to be, with a new enrolment only', async () => {
    await begin();
    const { columns } = POLICY;
    await expect(regions.enrol('', [table], { columns: { ...columns, tags: 'hlc' } })).rejects.toThrow(
      /"tags" is a set no more with a new enrolment only.*DELETE \/v1\/tables\/public\.policy_\d+, then PUT it/,
    );
    await expect(regions.enrol('', [table], { columns: { ...columns, seen: 'set' } })).rejects.toThrow(
      /"seen" becomes a set with a new enrolment only/,
    );
    await expect(regions.enrol('', [table], { columns: { ...columns, count: 'counter' } })).rejects.toThrow(
      /"count" becomes a counter with a new enrolment only/,
    );
    await regions.enrol('', [table], { columns: { ...columns, ranked: 'hlc' } });
  });

  describe('with a function of a user', () => {
    const LONGER = `export default (base, versions) => {
      const [a, b] = versions.map((v) => v.values.note);
      if (a === 'throw' || b === 'throw') throw new Error('no note');
      return { note: [a, b].sort().join(' | ') + ' over ' + base.note };
    }`;
    const SQL = `CREATE OR REPLACE FUNCTION longest(base jsonb, versions jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
      SELECT jsonb_build_object('title', max(v -> 'values' ->> 'title')) FROM jsonb_array_elements(versions) v $$`;

    async function enrolled(): Promise<void> {
      table = `policy_${++made}`;
      const columns = {
        note: { policy: 'merge:joined', source: LONGER, fallback: 'first-write' },
        title: { policy: 'merge:longest', language: 'sql', source: 'public.longest' },
      };
      await regions.enrol(`${SQL}; CREATE TABLE ${table} (id int PRIMARY KEY, note text, title text)`, [table], {
        columns,
      });
      await us!.user.query(`INSERT INTO ${table} VALUES (1, 'base', 'base')`);
      await regions.exchange();
    }

    it('takes what it makes of the versions, in JavaScript and in SQL, and records nobody as overwritten', async () => {
      await enrolled();
      await set(us, `note = 'of us', title = 'a'`);
      await set(eu, `note = 'of eu', title = 'b'`);
      expect(await shown('note')).toBe('of eu | of us over base');
      expect(await shown('title')).toBe('b');
      expect(await reasons()).toEqual([]);
      await set(ap, `note = 'seen both'`);
      expect(await shown('note')).toBe('seen both');
    });

    it.each([
      ['int', `'abc'`, /invalid input syntax for type integer: "abc"/],
      ['int NOT NULL', 'null', /it must not be NULL/],
      ['varchar(5)', `'longer than five'`, /value too long for type character varying\(5\)/],
      ['int[]', `'{1,x}'`, /invalid input syntax for type integer: "x"/],
    ])('goes by the fallback where the column (%s) refuses what it makes (%s)', async (type, result, why) => {
      table = `policy_${++made}`;
      const v = { policy: 'merge:made', source: `export default () => ({ v: ${result} })` };
      await regions.enrol(`CREATE TABLE ${table} (id int PRIMARY KEY, v ${type})`, [table], { columns: { v } });
      const value = (n: number) => (type === 'int[]' ? `'{${n}}'` : String(n));
      await us!.user.query(`INSERT INTO ${table} VALUES (1, ${value(0)})`);
      await regions.exchange();
      await set(us, `v = ${value(1)}`);
      await set(eu, `v = ${value(2)}`);
      expect(await shown('v::text')).toMatch(/2/);
      expect(await reasons()).toEqual([expect.stringMatching(why)]);
    });

    it('waits where it does not end, and goes on when the row is written under a policy without it', async () => {
      table = `policy_${++made}`;
      const endless = `export default (base, versions) => {
        if (versions.some((v) => v.values.v === 'endless')) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
        return { v: 'made' };
      }`;
      const columns = { v: { policy: 'merge:endless', source: endless } };
      await regions.enrol(`CREATE TABLE ${table} (id int PRIMARY KEY, v text)`, [table], { columns });
      await us!.user.query(`INSERT INTO ${table} VALUES (1, 'base'), (2, 'base')`);
      await regions.exchange();
      await set(us, `v = 'endless'`);
      await set(eu, `v = 'of eu'`);
      await eu!.user.query(`UPDATE ${table} SET v = 'plain' WHERE id = 2`);
      await regions.exchange();
      expect(await us!.waitsBecause(table)).toMatch(
        /^the merge function endless gave nothing here for v of the row \["1"\]: (timed out|suspended)/,
      );
      const waits = async () => {
        await regions.exchange();
        for (const region of regions.all) await region.resumeWaiting();
        return Promise.all(regions.all.map((region) => region.waitsBecause(table)));
      };
      await regions.enrol('', [table], { columns: { v: 'hlc' } });
      expect((await waits())[2]).toMatch(/^the merge function endless gave nothing/);
      await set(us, `v = 'decided'`);
      expect(await waits()).toEqual([null, null, null]);
      expect(await regions.equalRows(table)).toEqual(['1 | decided', '2 | plain']);
    });

    it('waits, and is not enrolled anew, where the SQL function is not the one that the regions agreed on', async () => {
      await enrolled();
      const { rows } = await us!.user.query<{ digest: string }>(`SELECT md5('another')  AS digest`);
      const { digest } = rows[0]!;
      const title = { policy: 'merge:longest', language: 'sql', source: 'public.longest', digest };
      await expect(regions.enrol('', [table], { columns: { title } })).rejects.toThrow(
        /"title": public\.longest is not what the regions agreed on: make it alike in every region/,
      );
    });

    it('goes by the fallback where it throws, and the record says why', async () => {
      await enrolled();
      await set(us, `note = 'throw'`);
      await set(eu, `note = 'of eu'`);
      expect(await shown('note')).toBe('throw');
      expect(await regions.conflicts(table)).toMatchObject([
        {
          region: 'eu',
          reason: expect.stringMatching(
            /^note: the function joined gave nothing \(threw: .*no note.*\), and by first-write us's write won: its stamp is/,
          ) as string,
          overwritten: [{ policy: 'merge:joined' }],
        },
      ]);
    });
  });
});
