import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

describe('capture of counters beyond their type', () => {
  let us: CapturedDatabase;
  beforeAll(async () => {
    us = await CapturedDatabase.open(await templateDatabase());
    await us.run(`CREATE TABLE item (id int PRIMARY KEY, name text, n int2 NOT NULL) PARTITION BY RANGE (id);
      CREATE TABLE "item 50%" PARTITION OF item FOR VALUES FROM (0) TO (100);
      CREATE TABLE item_more PARTITION OF item FOR VALUES FROM (100) TO (200)`);
    await us.enrol('item', { columns: { n: 'counter' } });
  });
  afterAll(() => us.close());
  beforeEach(() =>
    us.run(`DELETE FROM item; DELETE FROM meridian.counter_excess; INSERT INTO item VALUES (1, 'a', 32767), (2, 'b', -32768), (3, 'c', 5);
      INSERT INTO meridian.counter_excess VALUES ('public.item', '["1"]', 'n', 30), ('public.item', '["2"]', 'n', -4)`),
  );

  const excess = async (): Promise<unknown[]> =>
    (await us.rows('SELECT pk, excess FROM meridian.counter_excess ORDER BY excess DESC')).map((r) =>
      Object.values(r as Record<string, unknown>),
    );
  const logged = async (sql: string): Promise<string[]> =>
    (await us.logged(sql)).map((line) =>
      line
        .replaceAll(' : ', ':')
        .replaceAll(', "', ',"')
        .replace(/\{ | \}/g, (b) => b.trim()),
    );

  it('a deleted row is logged with its full sum, and leaves no excess to one that comes after it', async () => {
    expect(await logged('DELETE FROM item WHERE id <> 2')).toEqual([
      'public.item d ["1"] < {"id":"1","name":"a","n":"32797"}',
      'public.item d ["3"] < {"id":"3","name":"c","n":"5"}',
    ]);
    expect(await excess()).toEqual([['["2"]', '-4']]);
    expect(await logged(`INSERT INTO item VALUES (1, 'anew', 7)`)).toEqual([
      'public.item i ["1"] {"id":"1","name":"anew","n":"7"}',
    ]);
  });

  it('deleted and inserted anew in one statement, it starts anew', async () => {
    const anew = `WITH gone AS (DELETE FROM item WHERE id = 1 RETURNING *) INSERT INTO item SELECT id, 'anew', 7 FROM gone LIMIT 1`;
    expect(await logged(anew)).toEqual([
      'public.item d ["1"] < {"id":"1","name":"a","n":"32797"}',
      'public.item i ["1"] {"id":"1","name":"anew","n":"7"}',
    ]);
    expect(await excess()).toEqual([['["2"]', '-4']]);
  });

  it('truncated rows are logged with their full sums', async () => {
    expect(await logged('TRUNCATE item')).toEqual([
      'public.item d ["1"] < {"id":"1","name":"a","n":"32797"}',
      'public.item d ["2"] < {"id":"2","name":"b","n":"-32772"}',
      'public.item d ["3"] < {"id":"3","name":"c","n":"5"}',
    ]);
    expect(await excess()).toEqual([]);
  });

  it('an update logs the difference, and leaves the excess to the sweep', async () => {
    expect(await logged('UPDATE item SET n = n - 5 WHERE id = 1')).toEqual([
      'public.item u ["1"] {"n":"-5"} < {"n":"32767"}',
    ]);
    expect(await excess()).toEqual([
      ['["1"]', '30'],
      ['["2"]', '-4'],
    ]);
  });

  it.each([9, 109])('a row that moves to the key %i takes its excess along', async (id) => {
    expect(await logged(`UPDATE item SET id = ${id} WHERE id = 1`)).toEqual([
      'public.item d ["1"] {} < {"id":"1","name":"a","n":"32797"}',
      `public.item i ["${id}"] {"id":"${id}","name":"a","n":"32767"}`,
      `public.item u ["${id}"] {"n":"30"} < {}`,
    ]);
    expect(await excess()).toEqual([
      [`["${id}"]`, '30'],
      ['["2"]', '-4'],
    ]);
  });

  it('rows that take one another’s keys, too: the log tells the sums that they have then', async () => {
    const lines = await logged('UPDATE item SET id = id - 1');
    const sums = new Map(Object.entries({ '["1"]': 32797, '["2"]': -32772, '["3"]': 5 }));
    for (const line of lines) {
      const [, op, key, patch] = /^public\.item (.) (\S+) (\{.*?\})( <|$)/.exec(line)!;
      const n = Number((JSON.parse(patch!) as { n?: string }).n ?? 0);
      if (op === 'd') sums.delete(key!);
      else sums.set(key!, op === 'i' ? n : sums.get(key!)! + n);
    }
    expect(sums).toEqual(new Map(Object.entries({ '["0"]': 32797, '["1"]': -32772, '["2"]': 5 })));
    expect(await excess()).toEqual([
      ['["0"]', '30'],
      ['["1"]', '-4'],
    ]);
  });
});
