import { type PolicyPreview, RowExplanation, RowHistory, type RowVersion } from '@meridian/contract';
import { seq } from '@meridian/core';
import { PARTITION_IDS } from '@meridian/postgres';
import { httpCall, serveRest } from '@meridian/testkit';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

describe('rows explained, over REST', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  const servers = new Map<RealRegion, Awaited<ReturnType<typeof serveRest>>>();
  useRegions(['eu', 'us'], async (opened) => {
    [eu, us] = (regions = opened).all;
    for (const region of regions.all) servers.set(region, await serveRest(region.url, { region: region.name }));
  });
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

  const call = async (region: RealRegion, path: string): Promise<{ status: number; body: unknown }> => {
    const { status, text } = await httpCall(servers.get(region)!.url, 'GET', `/v1/data/${path}`);
    return { status, body: JSON.parse(text) };
  };
  const history = async (region: RealRegion, path: string, query = ''): Promise<RowHistory> =>
    RowHistory.parse((await call(region, `${path}/history${query}`)).body);
  const explain = async (region: RealRegion, path: string): Promise<RowExplanation> =>
    RowExplanation.parse((await call(region, `${path}/explain`)).body);
  const column = ({ columns }: RowExplanation, name: string) => columns.find((c) => c.column === name)!;
  const preview = async (region: RealRegion, body: object): Promise<PolicyPreview> => {
    const answer = await httpCall(servers.get(region)!.url, 'POST', '/v1/policies:preview', JSON.stringify(body));
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return JSON.parse(answer.text) as PolicyPreview;
  };

  const brief = ({ origin, op, seq: tick, sees, concurrentWith }: RowVersion) => [
    ...[origin, op, tick === null ? null : 'a tick', sees],
    concurrentWith.map((c) => c.origin).join(),
  ];

  /** us has the later stamp, unless its clock is said to be an hour behind. */
  async function contend(item: string, id = 1): Promise<void> {
    await eu!.user.query(`UPDATE ${item} SET x = 'eu' WHERE id = ${id}`);
    nextMillisecond();
    await us!.user.query(`UPDATE ${item} SET x = 'us' WHERE id = ${id}`);
  }

  describe('GET …/history', () => {
    it('tells every version, who had seen what, and what was written over', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 'b', 3)`);
      await regions.exchange();
      await contend(item);
      await regions.exchange();
      await eu!.user.query(`UPDATE ${item} SET n = n - 1`);
      const told = await history(eu!, `${item}/1`);
      expect(told).toMatchObject({ table: `public.${item}`, key: ['1'], complete: true, forgotten: null, next: null });
      expect(told.items.map(brief)).toEqual([
        ['eu', 'update', null, true, ''],
        ['us', 'update', 'a tick', false, 'eu'],
        ['eu', 'update', 'a tick', true, 'us'],
        ['us', 'insert', 'a tick', null, ''],
      ]);
      expect(told.items[0]).toMatchObject({ values: { n: '-1' }, before: { n: '3' }, increments: ['n'] });
      expect(told.items[1]).toMatchObject({ values: { x: 'us' }, before: { x: 'a' }, increments: [] });
      expect(told.items[3]).toMatchObject({ values: { id: '1', x: 'a', y: 'b', n: '3' }, before: null });
      // The other region has them in its own order, and knows the same of them.
      await regions.exchange();
      const there = await history(us!, `${item}/1`);
      const concurrent = (of: RowHistory) =>
        of.items.map((v) => JSON.stringify([v.origin, v.id, v.seq, v.stamp, v.concurrentWith])).sort();
      expect(concurrent(there)).toEqual(concurrent(await history(eu!, `${item}/1`)));
    });

    it('knows of the race: a write that no tick held yet had not seen what came meanwhile, before and after its tick', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a')`);
      await regions.exchange();
      await eu!.user.query(`UPDATE ${item} SET x = 'eu'`);
      await us!.user.query(`UPDATE ${item} SET x = 'us'`);
      await us!.cut();
      await eu!.takeFrom(us!);
      const versions = async () => (await history(eu!, `${item}/1`)).items.slice(0, 2).map(brief);
      expect(await versions()).toEqual([
        ['us', 'update', 'a tick', false, 'eu'],
        ['eu', 'update', null, true, 'us'],
      ]);
      await eu!.cut();
      expect(await versions()).toEqual([
        ['us', 'update', 'a tick', false, 'eu'],
        ['eu', 'update', 'a tick', true, 'us'],
      ]);
    });

    it('comes page by page', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1)`);
      for (let i = 1; i <= 6; i++) await us!.user.query(`UPDATE ${item} SET n = n + ${i}`);
      const seen: unknown[] = [];
      for (let next: string | null = ''; next !== null;) {
        const page = await history(us!, `${item}/1`, `?limit=3${next === '' ? '' : `&cursor=${next}`}`);
        seen.push(...page.items.map((v) => v.values['n']));
        next = page.next;
      }
      expect(seen).toEqual(['6', '5', '4', '3', '2', '1', '0']);
      expect(await call(us!, `${item}/1/history?cursor=x`)).toMatchObject({
        status: 400,
        body: { code: 'bad_cursor' },
      });
      expect(await call(us!, `${item}/1/history?limit=0`)).toMatchObject({ status: 422 });
    });

    it('goes on beyond what is looked at for one page', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1)`);
      await us!.user.query(
        `DO $$ BEGIN FOR i IN 1..3000 LOOP UPDATE ${item} SET y = i::text WHERE id = 1; COMMIT; END LOOP; END $$`,
      );
      const seen: (string | null | undefined)[] = [];
      for (let next: string | null = ''; next !== null;) {
        const page = await history(us!, `${item}/1`, `?limit=200${next === '' ? '' : `&cursor=${next}`}`);
        seen.push(...page.items.map((v) => v.values['y']));
        next = page.next;
      }
      expect(seen).toEqual([...Array.from({ length: 3000 }, (_, i) => String(3000 - i)), null]);
    });

    it('says plainly what it cannot have', async () => {
      const item = `older_${Date.now()}`;
      for (const region of regions.all)
        await region.user.query(
          `CREATE TABLE ${item} (id int PRIMARY KEY, x text); INSERT INTO ${item} VALUES (1, 'a')`,
        );
      await regions.enrol('SELECT', [item]);
      expect(await history(us!, `${item}/1`)).toMatchObject({
        ...{ items: [], complete: false },
        forgotten:
          'the row was there before its table was enrolled: what was written to it until then is in no history',
      });
      expect(await call(us!, `${item}/2/history`)).toMatchObject({ status: 404, body: { code: 'row_not_found' } });
      expect(await call(us!, `${item}/x/history`)).toMatchObject({ status: 422, body: { code: 'invalid_value' } });
      expect(await call(us!, `nothing/1/history`)).toMatchObject({ status: 404, body: { code: 'table_not_enrolled' } });
    });
  });

  describe('GET …/explain', () => {
    it('says in every region which change a value comes from, what it beat and why', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a', 'b', 3)`);
      await regions.exchange();
      await contend(item);
      await eu!.user.query(`UPDATE ${item} SET n = n + 4`);
      await us!.user.query(`UPDATE ${item} SET n = n - 1`);
      await regions.exchange();
      for (const region of regions.all) {
        const told = await explain(region, `${item}/1`);
        expect(told).toMatchObject({ exists: true, parked: null, waiting: 0 });
        expect(told.existence).toMatchObject({ change: { origin: 'us' }, beat: [], reason: 'us inserted it' });
        expect(column(told, 'x')).toMatchObject({
          value: 'us',
          change: { origin: 'us' },
          beat: [{ origin: 'eu', values: { x: 'eu' } }],
          reason: expect.stringMatching(/^us's write won: its stamp is .* later; eu had not yet seen it$/) as string,
          conflicts: [told.conflicts[0]!.id],
        });
        expect(told.conflicts).toMatchObject([{ region: 'eu', loser: { origin: 'eu' }, overwritten: [['x']] }]);
        expect(column(told, 'y')).toMatchObject({ value: 'b', change: { origin: 'us' }, beat: [] });
        expect(column(told, 'id')).toMatchObject({ value: '1', reason: 'part of the primary key' });
        expect(column(told, 'n')).toMatchObject({ value: '6', sums: { rest: '3' } });
        expect(column(told, 'n').sums!.increments.toSorted((a, b) => (a.origin < b.origin ? -1 : 1))).toEqual([
          { origin: 'eu', sum: '4', changes: 1 },
          { origin: 'us', sum: '-1', changes: 1 },
        ]);
      }
    });

    it('of a row that is gone tells of the delete, and nothing of one that nobody has ever heard of', async () => {
      const item = await regions.items({ delete: 'delete-wins' });
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a')`);
      await regions.exchange();
      await us!.user.query(`DELETE FROM ${item}`);
      await eu!.user.query(`UPDATE ${item} SET x = 'b'`);
      await regions.exchange();
      expect(await explain(us!, `${item}/1`)).toMatchObject({
        ...{ exists: false, columns: [] },
        existence: {
          change: { origin: 'us' },
          beat: [{ origin: 'eu', values: { x: 'b' } }],
          reason: "us's delete won: the policy of this table is delete-wins; eu had not yet seen it",
        },
        conflicts: [{ kind: 'update_deleted' }],
      });
      expect(await call(us!, `${item}/2/explain`)).toMatchObject({ status: 404, body: { code: 'row_not_found' } });
    });

    it('of a parked row says why, and which row holds the key', async () => {
      const item = `parked_${Date.now()}`;
      await regions.enrol(`CREATE TABLE ${item} (id int PRIMARY KEY, mail text UNIQUE)`, [item]);
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a@b')`);
      nextMillisecond();
      await eu!.user.query(`INSERT INTO ${item} VALUES (2, 'a@b')`);
      await regions.exchange();
      for (const region of regions.all) {
        const told = await explain(region, `${item}/2`);
        expect(told).toMatchObject({
          exists: false,
          parked: {
            ...{ kind: 'unique_key', constraint: `${item}_mail_key`, other: { table: `public.${item}`, key: ['1'] } },
            reason: expect.stringContaining('the row returns when the key is free') as string,
          },
          existence: { change: { origin: 'eu' } },
          conflicts: [{ kind: 'insert_exists' }],
        });
        expect(column(told, 'mail')).toMatchObject({ value: 'a@b', change: { origin: 'eu' } });
      }
    });

    it('what the log has dropped is older than the log, and its open conflict is linked', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a')`);
      await regions.exchange();
      await contend(item);
      await regions.exchange();
      await us!.user.query(`SELECT setval('meridian.change_id', ${PARTITION_IDS + 5})`);
      await us!.ticks.maintainPartitions();
      await us!.user.query(`UPDATE ${item} SET y = 'new'; INSERT INTO ${item} VALUES (2, 'a')`);
      await regions.exchange();
      await contend(item, 2);
      await regions.exchange();
      await us!.cut(true);
      const cut = { us: seq((await us!.position(us!)) - 1), eu: seq(await us!.position(eu!)) };
      expect(await us!.ticks.dropBelow(cut)).toBe(1);
      const told = await explain(us!, `${item}/1`);
      expect(column(told, 'x')).toMatchObject({
        ...{ value: 'us', change: null, beat: [], conflicts: [told.conflicts[0]!.id] },
        reason: expect.stringMatching(/^older than the log, which reaches back to 2/) as string,
      });
      expect(column(told, 'y')).toMatchObject({ value: 'new', change: { origin: 'us' } });
      expect(told.existence).toMatchObject({ change: null });
      expect(await history(us!, `${item}/1`)).toMatchObject({
        complete: false,
        forgotten: expect.stringContaining('the log reaches back to') as string,
      });
      expect(column(await explain(eu!, `${item}/1`), 'x')).toMatchObject({ change: { origin: 'us' } });
      // Of the other row the log has all, but what its writers had seen was told by ticks that every region has had.
      const kept = await explain(us!, `${item}/2`);
      expect(column(kept, 'x')).toMatchObject({
        ...{ value: 'us', change: { origin: 'us' }, beat: [{ origin: 'eu' }] },
        conflicts: [kept.conflicts[0]!.id],
      });
      await us!.user.query(`UPDATE meridian.conflict SET status = 'withdrawn' WHERE id = '${kept.conflicts[0]!.id}'`);
      expect(column(await explain(us!, `${item}/2`), 'x')).toMatchObject({
        ...{ value: 'us', change: { origin: 'us' }, beat: [], conflicts: [] },
        reason: 'us wrote it last; whether it had seen another write is forgotten',
      });
      expect((await history(us!, `${item}/2`)).items.map((v) => [v.traced, v.sees, v.concurrentTotal])).toEqual([
        [false, null, 0],
        [false, true, 0],
        [false, null, 0],
      ]);
      expect(column(await explain(eu!, `${item}/2`), 'x')).toMatchObject({ beat: [{ origin: 'eu' }] });
    });

    it('changes of an ended enrolment are no versions any more', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a')`);
      await regions.exchange();
      for (const region of regions.all) await region.unenrol(item);
      await regions.enrol('SELECT', [item], { columns: { n: 'counter' } });
      await us!.user.query(`UPDATE ${item} SET y = 'c'`);
      expect(await history(us!, `${item}/1`)).toMatchObject({ complete: false, items: [{ values: { y: 'c' } }] });
      expect(column(await explain(us!, `${item}/1`), 'x')).toMatchObject({ change: null, value: 'a' });
    });

    it('a change that waits for a column is in the history, and decides nothing', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} VALUES (1, 'a')`);
      await regions.exchange();
      await us!.user.query(`ALTER TABLE ${item} ADD COLUMN z text`);
      await us!.noticeTables();
      await us!.user.query(`UPDATE ${item} SET x = 'c', z = 'z'`);
      await us!.cut();
      await eu!.takeFrom(us!);
      const told = await explain(eu!, `${item}/1`);
      expect(told).toMatchObject({ waiting: 1 });
      expect(column(told, 'x')).toMatchObject({ value: 'a', change: { origin: 'us' } });
      expect((await history(eu!, `${item}/1`)).items.map((v) => v.waiting)).toEqual([true, false]);
    });

    it('finds a row by its key as REST does', async () => {
      const name = `keys_${Date.now()}`;
      await regions.enrol(
        `CREATE TABLE ${name} (code char(3), amount numeric(10,2), word varchar(9), v text, PRIMARY KEY (code, amount, word))`,
        [name],
      );
      await us!.user.query(`INSERT INTO ${name} VALUES ('a', 1.50, 'history', 'v')`);
      await us!.user.query(`DELETE FROM ${name}`);
      for (const key of ['a,1.5,history', 'a,1.50,history'])
        expect(await explain(us!, `${name}/${key}`)).toMatchObject({ exists: false, key: ['a  ', '1.5', 'history'] });
      for (const key of ['a,1.504,history', 'a,1.5,histories_', 'abcd,1.5,history', 'a,1.5,histor'])
        expect([key, (await call(us!, `${name}/${key}/explain`)).status]).toEqual([key, 404]);
      const words = `words_${Date.now()}`;
      await regions.enrol(`CREATE TABLE ${words} (word text PRIMARY KEY)`, [words]);
      await us!.user.query(`INSERT INTO ${words} VALUES ('history')`);
      expect(await call(us!, `${words}/history`)).toMatchObject({ status: 200, body: { word: 'history' } });
      expect(await history(us!, `${words}/history`)).toMatchObject({ key: ['history'], items: [{ op: 'insert' }] });
      expect(await explain(us!, `${words}/history`)).toMatchObject({ exists: true });
    });
  });

  describe('POST /v1/policies:preview', () => {
    it('predicts what then happens', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} SELECT i, 'a', 'b', 0 FROM generate_series(1, 5) i`);
      await regions.exchange();
      await eu!.user.query(`DELETE FROM ${item} WHERE id = 5`);
      for (const id of [1, 2, 3, 5]) await contend(item, id);
      await eu!.user.query(`UPDATE ${item} SET y = 'c' WHERE id = 4`);
      await regions.exchange();
      const policy = { delete: 'delete-wins', columns: { n: 'counter' } };
      const told = await preview(eu!, { table: item, policy });
      expect(told).toMatchObject({
        table: `public.${item}`,
        looked: 4,
        same: 3,
        different: 1,
        notReplayed: 0,
        more: false,
      });
      expect(told.items).toMatchObject([{ key: ['5'], columns: [], present: { x: 'us' }, other: null }]);
      expect(await preview(us!, { table: item, policy })).toEqual(told);
      expect(await preview(us!, { table: item, policy, limit: 2 })).toMatchObject({ looked: 2, more: true });
      expect(await preview(us!, { table: item, policy, since: '2100-01-01T00:00:00Z' })).toMatchObject({ looked: 0 });
      const withdrawn = `UPDATE meridian.conflict SET status = 'withdrawn' WHERE rel = 'public.${item}' AND pk = '["5"]'`;
      await us!.user.query(withdrawn);
      expect(await preview(us!, { table: item, policy })).toMatchObject({ looked: 3, different: 0 });
      await regions.enrol('SELECT', [item], policy);
      await us!.user.query(`UPDATE ${item} SET x = 'again' WHERE id = 5`);
      await regions.exchange();
      await eu!.user.query(`DELETE FROM ${item} WHERE id = 5`);
      await us!.user.query(`UPDATE ${item} SET x = 'us' WHERE id = 5`);
      expect(await regions.equalRows(item)).toHaveLength(4);
    });

    it('looks at each record once, also at thousands that one transaction left', async () => {
      const item = await regions.items();
      await us!.user.query(`INSERT INTO ${item} SELECT i, 'a', 'b', 0 FROM generate_series(1, 450) i`);
      await regions.exchange();
      for (const region of regions.all) await region.user.query(`UPDATE ${item} SET x = '${region.name}'`);
      await regions.exchange();
      const policy = { columns: { n: 'counter' } };
      expect(await preview(us!, { table: item, policy })).toMatchObject({ looked: 450, same: 450, more: false });
      expect(await preview(us!, { table: item, policy, limit: 450 })).toMatchObject({ looked: 450, more: false });
      expect(await preview(us!, { table: item, policy, limit: 449 })).toMatchObject({ looked: 449, more: true });
    });

    it('refuses what the table cannot have, and changes nothing', async () => {
      const item = await regions.items();
      const body = (more: object) => JSON.stringify({ table: item, ...more });
      const refused = async (text: string) => {
        const answer = await httpCall(servers.get(us!)!.url, 'POST', '/v1/policies:preview', text);
        return [answer.status, (JSON.parse(answer.text) as { code: string }).code];
      };
      expect(await refused(body({ policy: { columns: { y: 'counter' } } }))).toEqual([422, 'policy_refused']);
      expect(await refused(body({ policy: { colums: {} } }))).toEqual([422, 'invalid_document']);
      expect(await refused(body({ table: 'nothing' }))).toEqual([404, 'table_not_enrolled']);
      expect(await refused(body({ limit: 0 }))).toEqual([422, 'invalid_document']);
      const sql = `SELECT policy, epoch FROM meridian.enrolled_table WHERE rel = 'public.${item}'`;
      const before = await us!.read(sql);
      await preview(us!, { table: item, policy: { policy: 'lww' } });
      expect(await us!.read(sql)).toEqual(before);
    });
  });
});
