import { templateDatabase } from '@meridian/testkit';
import { CapturedDatabase } from '../testing/captured-database.js';

/** Each type with its nasty values, as SQL. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['true', 'false'],
  smallint: ['-32768'],
  bigint: ['9007199254740993', '-9223372036854775808'],
  numeric: [
    `'NaN'`,
    `'Infinity'`,
    `'-Infinity'`,
    '1.10',
    '1.1',
    '1234567890123456789012345678901234567890.0123456789',
    '0.0000',
  ],
  'numeric(10,2)': ['1.5'],
  real: ['0.1', `'-0'`, '1e-45', '3.4028235e38'],
  'double precision': [
    `'-0'`,
    '0',
    `'NaN'`,
    `'Infinity'`,
    `'-Infinity'`,
    '0.1',
    '1e308',
    '5e-324',
    '0.30000000000000004',
  ],
  text: [`''`, `'null'`, `E'a\\tb\\nc"\\\\ \\u2028 é 😀'`, `E'\\x01\\x1f\\x7f'`],
  'varchar(5)': [`'a  '`],
  'char(5)': [`'ab'`, `''`],
  bpchar: [`'trailing   '`],
  '"char"': [`'x'`, `''`, `'\\200'`],
  name: [`'n'`],
  bytea: [`''`, `'\\x00ff5c'`],
  date: [`'infinity'`, `'-infinity'`, `'4714-11-24 BC'`, `'2024-02-03'`, `'5874897-12-31'`],
  time: [`'23:59:59.999999'`, `'24:00:00'`],
  timetz: [`'04:05:06.789+05:30'`],
  timestamp: [`'infinity'`, `'0001-01-01 00:00:00 BC'`, `'2024-02-03 04:05:06.000001'`],
  timestamptz: [
    `'-infinity'`,
    `'2024-10-27 02:30:00.123456 Europe/Berlin'`,
    `'4714-11-24 00:00:00+00 BC'`,
    `'1800-01-01 00:00 Europe/Berlin'`,
  ],
  interval: [`'1 year -2 mons +3 days -04:05:06.000007'`, `'-1 day +1 sec'`, `'0'`],
  uuid: [`'00000000-0000-0000-0000-000000000001'`],
  inet: [`'10.0.0.1'`, `'10.0.0.1/8'`, `'::1'`],
  cidr: [`'10.0.0.0/8'`],
  macaddr: [`'08:00:2b:01:02:03'`],
  macaddr8: [`'08:00:2b:01:02:03:04:05'`],
  json: [`'{"a": 1,  "a": 2}'`, `'null'`, `'"x"'`, `'[1.10, 1e5]'`],
  jsonb: [`'{"b": 1.10, "a": [null, "é"]}'`, `'null'`, `'"string"'`, `'123456789012345678901234567890.1'`],
  jsonpath: [`'$.a[*] ? (@.b > 1)'`],
  xml: [`'<a b="1">x</a>'`, `'text <b/> only'`],
  tsvector: [`'a:1A ''b c'':2'`],
  tsquery: [`'a & !b <-> c'`],
  money: [`'12345.67'`, `'-0.01'`],
  'bit(3)': [`B'101'`],
  'bit varying': [`B''`, `B'0001'`],
  point: [`'(-0,1e300)'`, `'(NaN,Infinity)'`],
  box: [`'(1,1),(0,0)'`],
  path: [`'[(0,0),(1,1)]'`, `'((0,0),(1,1))'`],
  circle: [`'<(0.1,0.2),3>'`],
  pg_lsn: [`'16/B374D848'`],
  'integer[]': [`'{}'`, `'{1,NULL,3}'`, `'[2:3]={7,8}'`, `'{{1,2},{3,4}}'`, `'[0:1][-1:0]={{1,2},{3,NULL}}'`],
  'text[]': [`ARRAY['', 'NULL', 'a,b', 'q"q', E'b\\\\s', NULL, ' sp ']`],
  'timestamptz[]': [`ARRAY['infinity', '2024-01-02 03:04:05.6+02']::timestamptz[]`],
  'float8[]': [`ARRAY['-0', 'NaN', 0.1]::float8[]`],
  'jsonb[]': [`ARRAY['{"a": "b,c"}', 'null']::jsonb[]`],
  int4range: [`'[1,10)'`, `'empty'`, `'(,)'`],
  numrange: [`'(1.10,2.200]'`],
  tstzrange: [`'["2024-01-02 03:04:05.6+02",infinity)'`],
  int4multirange: [`'{[1,3),[5,)}'`, `'{}'`],
  'kinds.mood': [`'so so'`, `'"quoted"'`],
  'kinds.mood[]': [`'{"so so","\\"quoted\\""}'`],
  'kinds.positive': ['5'],
  'kinds.short': [`'ab '`],
  'kinds.pair': [`ROW(1, NULL)`, `ROW(-5, 'a "b", (c)')`, `ROW(NULL, '')`],
  'kinds.pair[]': [`ARRAY[ROW(1, 'x,y'), NULL]::kinds.pair[]`],
};

const types = Object.keys(VALUES);

describe('values', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
    await db.run(`
      CREATE SCHEMA kinds;
      CREATE TYPE kinds.mood AS ENUM ('so so', '"quoted"');
      CREATE DOMAIN kinds.positive AS bigint CHECK (VALUE > 0);
      CREATE DOMAIN kinds.short AS char(4);
      CREATE TYPE kinds.pair AS (n int, "Text" text)`);
    await db.run(`CREATE TABLE every (id int PRIMARY KEY, ${types.map((type, i) => `c${i} ${type}`).join(', ')})`);
    await db.run(`CREATE TABLE twin (LIKE every INCLUDING ALL)`);
    await db.enrol('every');
  });
  afterAll(() => db.close());

  /** The last patch of the log, written into the twin through the types' input functions. */
  async function replayInsert(): Promise<void> {
    await db.run(`
      INSERT INTO twin SELECT (patch->>'id')::int, ${types.map((type, i) => `(patch->>'c${i}')::${type}`).join(', ')}
        FROM meridian.change WHERE op = 'i' ORDER BY id DESC LIMIT 1`);
  }

  it.each(types)('%s comes back from the log identical, byte for byte', async (type) => {
    const column = `c${types.indexOf(type)}`;
    for (const value of VALUES[type]!) {
      await db.run('TRUNCATE every; TRUNCATE twin');
      await db.run(`INSERT INTO every (id, ${column}) VALUES (1, ${value})`);
      await replayInsert();
      const [compared] = await db.rows(
        `SELECT ROW(a.${column})::record *= ROW(b.${column})::record AS same, num_nonnulls(a.${column}) = 1 AS there, a.${column}::text AS was, b.${column}::text AS came
           FROM every a JOIN twin b USING (id)`,
      );
      expect(compared).toMatchObject({ same: true, there: true });
    }
  });

  it('notices a change between equal values of different texts', async () => {
    const changes: readonly (readonly [string, string, string])[] = [
      ['numeric', '1.1', '1.10'],
      ['double precision', '0', `'-0'`],
      ['json', `'{"a":1}'`, `'{"a": 1}'`],
      ['jsonb', `'{"a":1.0}'`, `'{"a":1.00}'`],
      ['interval', `'1 day'`, `'24:00:00'`],
      ['numrange', `'[1.0,2)'`, `'[1.00,2)'`],
      ['float8[]', `'{0}'`, `'{-0}'`],
      ['xml', `'<a/>'`, `'<a />'`],
    ];
    for (const [type, from, to] of changes) {
      const column = `c${types.indexOf(type)}`;
      await db.run(`TRUNCATE every; INSERT INTO every (id, ${column}) VALUES (1, ${from})`);
      expect({ type, log: await db.logged(`UPDATE every SET ${column} = ${to}`) }).toEqual({
        type,
        log: [expect.any(String)],
      });
      expect({ type, log: await db.logged(`UPDATE every SET ${column} = ${to}`) }).toEqual({ type, log: [] });
    }
  });

  it('is not changed by the settings of the writer’s session', async () => {
    await db.run('TRUNCATE every; TRUNCATE twin');
    const session = await db.other();
    await session.query(`
      SET DateStyle = 'German, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = -15;
      SET bytea_output = 'escape'; SET xmloption = 'document'; SET search_path = kinds, public`);
    const own = (type: string): string => `c${types.indexOf(type)}`;
    await session.query(`INSERT INTO every (id, ${own('date')}, ${own('timestamptz')}, ${own('interval')}, ${own('double precision')}, ${own('bytea')}, ${own('timestamptz[]')})
      VALUES (1, '02.03.2024', '2024-02-03 04:05:06+00', '1 year 2 mons 3 days 04:05:06', 0.30000000000000004, '\\x00ff', ARRAY['2024-02-03 04:05:06+00']::timestamptz[])`);
    await session.end();
    const [{ patch }] = (await db.rows(
      `SELECT patch FROM meridian.change WHERE op = 'i' ORDER BY id DESC LIMIT 1`,
    )) as [{ patch: Record<string, string> }];
    expect([
      patch[own('date')],
      patch[own('timestamptz')],
      patch[own('interval')],
      patch[own('double precision')],
      patch[own('bytea')],
      patch[own('timestamptz[]')],
    ]).toEqual([
      '2024-03-02',
      '2024-02-03 04:05:06+00',
      '1 year 2 mons 3 days 04:05:06',
      '0.30000000000000004',
      String.raw`\x00ff`,
      '{"2024-02-03 04:05:06+00"}',
    ]);
  });

  it('keeps a text of 10 MB whole, and out of the log when another column changes', async () => {
    const text = `c${types.indexOf('text')}`;
    await db.run(
      `TRUNCATE every; INSERT INTO every (id, ${text}) SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 327680) g`,
    );
    const [same] = await db.rows(
      `SELECT patch->>'${text}' = ${text} AS same, length(${text}) AS length FROM every, (SELECT patch FROM meridian.change ORDER BY id DESC LIMIT 1) l`,
    );
    expect(same).toEqual({ same: true, length: 10_485_760 });
    const [entry] = await db.logged('UPDATE every SET c0 = true');
    expect(entry).toBe('public.every u ["1"] {"c0":"true"} < {"c0":null}');
  }, 30_000);
});
