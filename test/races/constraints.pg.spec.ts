import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

describe('constraints of users, through log, tick and apply', () => {
  let regions: RealRegions;
  let [ap, eu, us]: RealRegion[] = [];
  useRegions(['ap', 'eu', 'us'], (opened) => ([ap, eu, us] = (regions = opened).all));

  /** None has seen the others; the later ones have the later stamps. */
  async function concurrently(...writes: readonly (readonly [RealRegion, string])[]): Promise<void> {
    for (const [region, sql] of writes) {
      await region.user.query(sql);
      nextMillisecond();
    }
  }
  const kinds = async (table: string): Promise<string[]> => (await regions.conflicts(table)).map((c) => c.kind).sort();

  it('I2: NULL is claimed by nobody, or by one row where NULLS NOT DISTINCT says so', async () => {
    await regions.enrol(
      'CREATE TABLE nulls (id int PRIMARY KEY, a text UNIQUE, b text UNIQUE NULLS NOT DISTINCT DEFAULT gen_random_uuid())',
      ['nulls'],
    );
    await concurrently([eu!, 'INSERT INTO nulls VALUES (1), (2)'], [us!, 'INSERT INTO nulls VALUES (3), (4)']);
    expect((await regions.equalRows('nulls')).length).toBe(4);
    expect(await kinds('nulls')).toEqual([]);
    await concurrently(
      [eu!, 'UPDATE nulls SET b = NULL WHERE id = 2'],
      [us!, 'UPDATE nulls SET b = NULL WHERE id = 3'],
    );
    expect((await regions.equalRows('nulls')).map((row) => row.slice(0, 1))).toEqual(['1', '2', '4']);
    expect(await kinds('nulls')).toEqual(['update_exists']);
    await ap!.user.query('DELETE FROM nulls WHERE id = 2');
    expect((await regions.equalRows('nulls')).map((row) => row.slice(0, 1))).toEqual(['1', '3', '4']);
  });

  it('I2, I3: a row that meets two others, by its primary key and by a unique key, ends the same everywhere', async () => {
    await regions.enrol('CREATE TABLE twice (id int PRIMARY KEY, u text UNIQUE, v text)', ['twice']);
    await concurrently(
      [eu!, `INSERT INTO twice VALUES (1, 'p', 'eu'), (2, 'q', 'eu')`],
      [us!, `INSERT INTO twice VALUES (1, 'q', 'us')`],
      [ap!, `INSERT INTO twice VALUES (2, 'p', 'ap')`],
    );
    const shown = await regions.equalRows('twice');
    const parked = await us!.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.twice'`);
    expect(shown.length + parked.length).toBe(2);
    expect((await kinds('twice')).length).toBeGreaterThan(1);
  });

  it('I2, I3: a parked row whose key is inserted and deleted at once is gone, in that region, too', async () => {
    await regions.enrol('CREATE TABLE brief (id int PRIMARY KEY, u int UNIQUE, v text)', ['brief']);
    await concurrently([us!, 'INSERT INTO brief VALUES (1, 1)'], [eu!, 'INSERT INTO brief VALUES (2, 1)']);
    expect(await regions.equalRows('brief')).toEqual(['1 | 1 | ']);
    await ap!.user.query('INSERT INTO brief VALUES (2, 9); DELETE FROM brief WHERE id = 2');
    await us!.user.query('DELETE FROM brief');
    expect(await regions.equalRows('brief')).toEqual([]);
    // Parked again since, and overtaken no more.
    await concurrently([us!, 'INSERT INTO brief VALUES (1, 1)'], [ap!, 'INSERT INTO brief VALUES (2, 1)']);
    expect(await regions.equalRows('brief')).toEqual(['1 | 1 | ']);
    await us!.user.query('DELETE FROM brief');
    expect(await regions.equalRows('brief')).toEqual(['2 | 1 | ']);
  });

  it('I3: the record of a parked row goes on telling of it when its key is inserted anew, and is withdrawn when it is deleted', async () => {
    await regions.enrol('CREATE TABLE anew (id int PRIMARY KEY, u int UNIQUE, v text)', ['anew']);
    await concurrently(
      [us!, `INSERT INTO anew VALUES (1, 1), (3, 3)`],
      [eu!, `INSERT INTO anew VALUES (2, 1, 'kept'), (4, 3, 'kept')`],
    );
    expect(await regions.equalRows('anew')).toEqual(['1 | 1 | ', '3 | 3 | ']);
    await ap!.user.query(`INSERT INTO anew VALUES (2, 9, 'of ap')`);
    await eu!.user.query(`INSERT INTO anew VALUES (4, 8, 'of eu')`);
    expect(await regions.equalRows('anew')).toEqual(['1 | 1 | ', '2 | 9 | of ap', '3 | 3 | ', '4 | 8 | of eu']);
    const anew = (region: string): object => ({
      ...{ status: 'open', region: 'eu', result: { v: 'kept' } },
      reason: `${region} inserted a new row under this key while this one was parked: this one does not return`,
    });
    expect(await regions.conflicts('anew')).toMatchObject([anew('ap'), anew('eu')]);

    await us!.user.query('INSERT INTO anew VALUES (5, 5)');
    nextMillisecond();
    await eu!.user.query('INSERT INTO anew VALUES (6, 5)');
    await eu!.cut();
    await ap!.takeFrom(eu!);
    await ap!.user.query('DELETE FROM anew WHERE id = 6');
    await us!.cut();
    await eu!.takeFrom(us!);
    expect(await eu!.read('SELECT pk FROM meridian.parked')).toEqual(['["6"]']);
    await regions.equalRows('anew');
    expect((await regions.conflicts('anew'))[2]).toMatchObject({
      ...{ pk: '["6"]', status: 'withdrawn', reason: 'the row was deleted' },
    });
  });

  it('I3: a record is open again when a row that is back has its key inserted anew, where it was parked still', async () => {
    await regions.enrol('CREATE TABLE back (id int PRIMARY KEY, u int UNIQUE, v text)', ['back']);
    await concurrently([eu!, 'INSERT INTO back VALUES (1, 1)'], [us!, `INSERT INTO back VALUES (2, 1, 'kept')`]);
    expect(await regions.equalRows('back')).toEqual(['1 | 1 | ']);
    await eu!.user.query('DELETE FROM back');
    await eu!.cut();
    for (const region of [us!, ap!]) await region.takeFrom(eu!);
    await us!.sweep();
    expect(await regions.conflicts('back')).toMatchObject([{ status: 'open' }]);
    await ap!.user.query(`INSERT INTO back VALUES (2, 9, 'of ap')`);
    expect(await regions.equalRows('back')).toEqual(['2 | 9 | of ap']);
    expect(await regions.conflicts('back')).toMatchObject([
      {
        region: 'us',
        status: 'open',
        loser: { values: { v: 'kept' } },
        reason: expect.stringContaining('ap inserted a new row') as string,
      },
    ]);
  });

  it('I3: a row whose key is inserted anew where alone it was ever parked is recorded, too', async () => {
    await regions.enrol('CREATE TABLE elsewhere (id int PRIMARY KEY, u int UNIQUE, v text)', ['elsewhere']);
    await eu!.user.query('INSERT INTO elsewhere VALUES (1, 1)');
    nextMillisecond();
    await us!.user.query(`INSERT INTO elsewhere VALUES (2, 1, 'kept')`);
    for (const region of [eu!, us!]) await region.cut();
    for (const region of [eu!, us!]) await ap!.takeFrom(region);
    expect(await ap!.read(`SELECT pk FROM meridian.parked WHERE rel = 'public.elsewhere'`)).toEqual(['["2"]']);
    await eu!.user.query('DELETE FROM elsewhere');
    await eu!.cut();
    await us!.takeFrom(eu!);
    expect(await us!.read('SELECT * FROM elsewhere')).toEqual(['2 | 1 | kept']);
    await ap!.user.query(`INSERT INTO elsewhere VALUES (2, 9, 'of ap')`);
    expect(await regions.equalRows('elsewhere')).toEqual(['2 | 9 | of ap']);
    expect(await regions.conflicts('elsewhere')).toMatchObject([
      {
        region: 'us',
        status: 'open',
        kind: 'insert_exists',
        result: { v: 'kept' },
        reason: expect.stringContaining('ap inserted a new row') as string,
      },
    ]);
  });

  it('I2, I7: a deleted parent takes its children along, once, also those that another region wrote meanwhile', async () => {
    await regions.enrol(
      `CREATE TABLE whole (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
       CREATE TABLE part (id int PRIMARY KEY, whole int NOT NULL REFERENCES whole ON DELETE CASCADE, n int NOT NULL DEFAULT 0);
       CREATE TABLE screw (id int PRIMARY KEY, part int NOT NULL REFERENCES part ON DELETE CASCADE)`,
      ['whole', 'part', 'screw'],
    );
    await us!.user.query(
      'INSERT INTO whole VALUES (1), (2); INSERT INTO part VALUES (1, 1), (2, 2); INSERT INTO screw VALUES (1, 1), (2, 2)',
    );
    await regions.exchange();
    await us!.user.query('DELETE FROM whole WHERE id = 1');
    expect(await regions.equalRows('whole', 'part', 'screw')).toEqual(['2 | 0', '2 | 2 | 0', '2 | 2']);
    await concurrently([us!, 'DELETE FROM whole WHERE id = 2'], [eu!, 'UPDATE part SET n = n + 1 WHERE id = 2']);
    // update-wins brings the part back; it waits for its whole, which nobody wrote.
    expect(await regions.equalRows('whole', 'part', 'screw')).toEqual([]);
    await ap!.user.query('INSERT INTO whole VALUES (2)');
    expect(await regions.equalRows('whole', 'part', 'screw')).toEqual(['2 | 0', '2 | 2 | 1']);
  });

  it('I2: ON UPDATE CASCADE, ON DELETE SET NULL and SET DEFAULT happen where the user wrote, and travel as changes', async () => {
    await regions.enrol(
      `CREATE TABLE team (id int PRIMARY KEY); CREATE TABLE member (id int PRIMARY KEY,
         a int REFERENCES team ON UPDATE CASCADE, b int REFERENCES team ON DELETE SET NULL,
         c int DEFAULT 9 REFERENCES team ON DELETE SET DEFAULT)`,
      ['team', 'member'],
    );
    await us!.user.query('INSERT INTO team VALUES (1), (2), (3), (9); INSERT INTO member VALUES (1, 1, 2, 3)');
    await regions.exchange();
    await us!.user.query('UPDATE team SET id = 10 WHERE id = 1; DELETE FROM team WHERE id IN (2, 3)');
    expect(await regions.equalRows('team', 'member')).toEqual(['10', '9', '1 | 10 |  | 9']);
    for (const region of regions.all) expect(await region.cut()).toBeNull();
    await concurrently([us!, 'UPDATE team SET id = 11 WHERE id = 10'], [eu!, 'INSERT INTO member VALUES (2, 10)']);
    const rows = await regions.equalRows('team', 'member');
    const orphans = `SELECT m.id FROM member m WHERE a IS NOT NULL AND NOT EXISTS (SELECT FROM team t WHERE t.id = m.a)`;
    for (const region of regions.all) expect(await region.read(orphans)).toEqual([]);
    expect(rows).toContain('1 | 11 |  | 9');
  });

  it('I2, I4: two rows that refer to each other, in one transaction with deferred foreign keys', async () => {
    await regions.enrol(
      `CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL);
       CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES hen DEFERRABLE INITIALLY DEFERRED);
       ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED`,
      ['hen', 'egg'],
    );
    await us!.user.query('BEGIN; INSERT INTO hen VALUES (1, 1); INSERT INTO egg VALUES (1, 1); COMMIT');
    expect(await regions.equalRows('hen', 'egg')).toEqual(['1 | 1', '1 | 1']);
    await eu!.user.query('BEGIN; DELETE FROM hen; DELETE FROM egg; COMMIT');
    expect(await regions.equalRows('hen', 'egg')).toEqual([]);
  });

  it('I2, I7: inserted, deleted and inserted anew in three regions: no delete takes a newer insert along', async () => {
    const t = await regions.items();
    await us!.user.query(`INSERT INTO ${t} VALUES (1, 'first', '-', 1)`);
    await regions.exchange();
    await eu!.user.query(`DELETE FROM ${t}`);
    await eu!.cut();
    await ap!.takeFrom(eu!);
    // ap has seen the delete, us has not seen either.
    await ap!.user.query(`INSERT INTO ${t} VALUES (1, 'anew', '-', 5)`);
    await us!.user.query(`UPDATE ${t} SET n = n + 100`);
    await ap!.cut();
    await us!.takeFrom(ap!);
    expect(await regions.equalRows(t)).toEqual(['1 | anew | - | 105']);
    await concurrently(
      [eu!, `DELETE FROM ${t}`],
      [ap!, `DELETE FROM ${t}; INSERT INTO ${t} VALUES (1, 'third', '-', 7)`],
    );
    expect(await regions.equalRows(t)).toEqual(['1 | third | - | 7']);
  });

  it('I2: a row that moves between partitions is one row, also beside a write in another region', async () => {
    await regions.enrol(
      `CREATE TABLE visit (place text, id int, note text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, place)) PARTITION BY LIST (place);
       CREATE TABLE visit_a PARTITION OF visit FOR VALUES IN ('a');
       CREATE TABLE visit_b PARTITION OF visit FOR VALUES IN ('b')`,
      ['visit'],
      { columns: { n: 'counter' } },
    );
    await us!.user.query(`INSERT INTO visit VALUES ('a', 1), ('b', 2); INSERT INTO visit_b VALUES ('b', 3)`);
    await regions.exchange();
    await concurrently(
      [eu!, `UPDATE visit SET note = 'eu', n = n + 1 WHERE id = 3`],
      [us!, `UPDATE visit SET place = 'b' WHERE id = 1; UPDATE visit_b SET n = n + 10 WHERE id = 3`],
    );
    expect(await regions.equalRows('visit')).toEqual(['b | 1 |  | 0', 'b | 2 |  | 0', 'b | 3 | eu | 11']);
    expect(await ap!.read('SELECT id FROM visit_b')).toEqual(['1', '2', '3']);
  });
});
