import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

describe('values and names that are easy to get wrong, through log, tick and apply', () => {
  let regions: RealRegions;
  let [eu, us]: RealRegion[] = [];
  useRegions(['eu', 'us'], (opened) => ([eu, us] = (regions = opened).all));

  it('I2: defaults are evaluated where the user wrote, once, and their values travel', async () => {
    const t = 'defaults';
    await regions.enrol(
      `CREATE SEQUENCE taken; CREATE TABLE ${t} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT clock_timestamp(),
         r float8 DEFAULT random(), s int DEFAULT nextval('taken'), who text DEFAULT current_setting('port') || pg_backend_pid())`,
      [t],
    );
    await us!.user.query(`INSERT INTO ${t} SELECT FROM generate_series(1, 20)`);
    expect(await regions.equalRows(t)).toHaveLength(20);
    expect(await eu!.read(`SELECT last_value, is_called FROM taken`)).toEqual(['1 | f']);
    // A default that another region has is for its own users.
    await eu!.user.query(`ALTER TABLE ${t} ALTER COLUMN who SET DEFAULT 'eu', ALTER COLUMN s SET DEFAULT -1`);
    await us!.user.query(`INSERT INTO ${t} (who) VALUES (NULL)`);
    await eu!.user.query(`INSERT INTO ${t} DEFAULT VALUES`);
    await regions.equalRows(t);
    expect(await us!.read(`SELECT s, who FROM ${t} WHERE who IS NULL OR who = 'eu' ORDER BY 1`)).toEqual([
      '-1 | eu',
      '21 | ',
    ]);
  });

  it('I2: a numeric keeps its scale, 1.1 and 1.10 are two values, and neither is written for ever', async () => {
    const t = 'scales';
    await regions.enrol(`CREATE TABLE ${t} (id numeric PRIMARY KEY, v numeric, f float8)`, [t]);
    await us!.user.query(`INSERT INTO ${t} VALUES (1.0, 1.10, '-0')`);
    await regions.exchange();
    await eu!.user.query(`UPDATE ${t} SET v = 1.1, f = '0' WHERE id = 1`);
    nextMillisecond();
    await us!.user.query(`UPDATE ${t} SET v = 1.100 WHERE id = 1.00`);
    expect(await regions.equalRows(t)).toEqual(['1.0 | 1.100 | 0']);
    for (const region of regions.all) expect(await region.cut()).toBeNull();
  });

  it('I2: keys are told apart as PostgreSQL does: padding, empty, composed and decomposed letters', async () => {
    const t = 'odd_keys';
    await regions.enrol(`CREATE TABLE ${t} (a char(4), b text, v text, PRIMARY KEY (a, b))`, [t]);
    const keys = [`'x', ''`, `'x', ' '`, `'', 'é'`, `'', E'e\\u0301'`, `'', 'É'`, `'', 'null'`];
    for (const key of keys) await us!.user.query(`INSERT INTO ${t} VALUES (${key}, '')`);
    await regions.exchange();
    for (const [i, key] of keys.entries())
      await (i % 2 ? eu! : us!).user.query(`UPDATE ${t} SET v = NULLIF('${i}', '0') WHERE (a, b) = (${key})`);
    await eu!.user.query(`UPDATE ${t} SET v = v || '!' WHERE a = 'x   ' AND b = ' '`);
    const rows = await regions.equalRows(t);
    expect(rows).toHaveLength(6);
    expect(rows).toContain('x    |   | 1!');
    expect(rows).toContain('x    |  | ');
    for (const region of regions.all)
      expect(await region.read(`SELECT count(*) FROM ${t} WHERE v IS NULL`)).toEqual(['1']);
  });

  it('I2: types of extensions, case-blind keys among them, travel as their text', async () => {
    const t = 'extended';
    for (const region of regions.all) {
      await region.user.query('CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree');
      await region.user.query('CREATE EXTENSION cube');
    }
    await regions.enrol(`CREATE TABLE ${t} (id int PRIMARY KEY, h hstore, c citext, l ltree, b cube, ch hstore[])`, [
      t,
    ]);
    await us!.user.query(
      `INSERT INTO ${t} VALUES (1, 'a=>NULL, "b c"=>"\\"q\\""', 'Ada', 'top.middle', '(1,2),(3,4)', ARRAY['x=>1', NULL]::hstore[])`,
    );
    await regions.exchange();
    await eu!.user.query(`UPDATE ${t} SET h = h || 'z=>1', c = 'ADA'`);
    expect(await regions.equalRows(t)).toEqual([
      `1 | "a"=>NULL, "z"=>"1", "b c"=>"\\"q\\"" | ADA | top.middle | (1, 2),(3, 4) | {"\\"x\\"=>\\"1\\"",NULL}`,
    ]);
  });

  it('I2: as many columns as PostgreSQL takes, with names of 63 bytes, keywords, and others that JavaScript knows', async () => {
    const names = Array.from({ length: 1_590 }, (_, i) => `c${i}_${'é'.repeat(28)}`.slice(0, 33));
    const known = ['__proto__', 'constructor', 'toString', 'select', 'k0', 'Größe "x"'];
    const columns = [...names, ...known].map((name) => `"${name.replaceAll('"', '""')}" int`);
    await regions.enrol(`CREATE TABLE "Ümläut ""table""" (id int PRIMARY KEY, ${columns.join(', ')})`, [
      'Ümläut "table"',
    ]);
    const t = '"Ümläut ""table"""';
    await us!.user.query(`INSERT INTO ${t} (id, "__proto__", "${names[7]}") VALUES (1, 2, 3)`);
    await regions.exchange();
    await eu!.user.query(`UPDATE ${t} SET constructor = 4, "toString" = 5, "Größe ""x""" = 6, "${names[1_589]}" = 7`);
    await us!.user.query(`UPDATE ${t} SET "__proto__" = 9, "select" = 8, k0 = 1`);
    await regions.exchange();
    const read = `SELECT "__proto__", constructor, "toString", "Größe ""x""", "select", k0, "${names[7]}", "${names[1_589]}" FROM ${t}`;
    for (const region of regions.all) expect(await region.read(read)).toEqual(['9 | 4 | 5 | 6 | 8 | 1 | 3 | 7']);
  });
});
