import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

describe('capture of a partitioned table', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
    await db.run(`
      CREATE TABLE events (region text, id int, note text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
      CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('eu');
      CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('us') PARTITION BY RANGE (id);
      -- Other columns first: a partition need not look like its parent.
      CREATE TABLE events_us_low (note text, dropped int, id int NOT NULL, region text NOT NULL);
      ALTER TABLE events_us_low DROP COLUMN dropped;
      ALTER TABLE events_us ATTACH PARTITION events_us_low FOR VALUES FROM (0) TO (100);
      CREATE TABLE events_us_high PARTITION OF events_us FOR VALUES FROM (100) TO (200)`);
    await db.enrol('events');
  });
  afterEach(async () => {
    expect(await db.replayed('public.events')).toEqual(await db.content('public.events'));
  });
  afterAll(() => db.close());

  it('logs writes through the parent, a partition and one between under the parent’s name', async () => {
    expect(await db.logged(`INSERT INTO events VALUES ('eu', 1), ('us', 1)`)).toHaveLength(2);
    expect(await db.logged(`INSERT INTO events_us VALUES ('us', 150, 'x')`)).toEqual([
      'public.events i ["us", "150"] {"region":"us","id":"150","note":"x"}',
    ]);
    expect(await db.logged(`UPDATE events_us_low SET note = 'low'`)).toEqual([
      'public.events u ["us", "1"] {"note":"low"} < {"note":null}',
    ]);
    expect(await db.logged(`DELETE FROM events_eu`)).toEqual([
      'public.events d ["eu", "1"] < {"region":"eu","id":"1","note":null}',
    ]);
  });

  it('logs a row that moves between partitions as a delete and an insert', async () => {
    expect(await db.logged(`UPDATE events SET region = 'eu', note = 'moved' WHERE id = 150`)).toEqual([
      'public.events d ["us", "150"] {} < {"region":"us","id":"150","note":"x"}',
      'public.events i ["eu", "150"] {"region":"eu","id":"150","note":"moved"}',
    ]);
    await db.run(`UPDATE events_us SET id = 160 WHERE id = 1`);
    expect(await db.rows(`SELECT tableoid::regclass::text AS t FROM events WHERE id = 160`)).toEqual([
      { t: 'events_us_high' },
    ]);
  });

  it('logs every row of a TRUNCATE once, whichever relation it names', async () => {
    expect(await db.logged('TRUNCATE events_us')).toHaveLength(1);
    await db.run(`INSERT INTO events VALUES ('us', 5), ('us', 105), ('eu', 5)`);
    expect(await db.logged('TRUNCATE events')).toHaveLength(4);
  });

  it('notices a partition that was made later, and captures it too; until then it refuses what is written straight to it', async () => {
    await db.run(`
      CREATE TABLE events_ap PARTITION OF events FOR VALUES IN ('ap');
      CREATE TABLE events_af (region text NOT NULL, id int NOT NULL, note text);
      ALTER TABLE events ATTACH PARTITION events_af FOR VALUES IN ('af')`);
    expect(await db.logged(`INSERT INTO events VALUES ('ap', 7), ('af', 6), ('ap', 8)`)).toHaveLength(3);
    expect(
      await db.logged(`UPDATE events SET region = 'ap' WHERE region = 'af'; DELETE FROM events WHERE id = 8`),
    ).toHaveLength(3);
    for (const straight of [
      `INSERT INTO events_ap VALUES ('ap', 1)`,
      `INSERT INTO events_af VALUES ('af', 1)`,
      `UPDATE events_ap SET note = 'missed'`,
      'DELETE FROM events_ap',
    ])
      await expect(db.run(straight)).rejects.toMatchObject({
        ...{ code: '55000', message: expect.stringMatching(/events_a[pf] is a new partition/) as string },
      });
    expect(await db.enrolment.captureDrift()).toEqual(['public.events']);
    expect(await db.enrolment.renewCapture('public.events' as never)).toEqual({ differs: null, problems: [] });
    expect(await db.enrolment.captureDrift()).toEqual([]);
    expect(await db.logged(`INSERT INTO events_ap VALUES ('ap', 1)`)).toHaveLength(1);
  });

  it('tells of rows that came with a partition, which other regions do not have; and leaves nothing behind', async () => {
    await db.run(`
      CREATE TABLE events_au (region text NOT NULL, id int NOT NULL, note text);
      INSERT INTO events_au VALUES ('au', 1);
      ALTER TABLE events ATTACH PARTITION events_au FOR VALUES IN ('au');
      INSERT INTO events VALUES ('au', 2)`);
    const { problems } = await db.enrolment.renewCapture('public.events' as never);
    expect(problems).toMatchObject([
      { code: 'attached_rows', message: expect.stringContaining('public.events_au came with rows') as string },
    ]);
    await db.run(`DELETE FROM events WHERE id = 2; ALTER TABLE events DETACH PARTITION events_au`);
    await db.enrolment.remove('public.events' as never);
    expect(
      await db.rows(`SELECT tgname FROM pg_trigger WHERE tgname ~ '^meridian' AND tgrelid::regclass::text ~ 'events'`),
    ).toEqual([]);
    await db.enrol('events');
  });
});
