import { type JsonText, type RowEffect } from '@meridian/core';
import { cutTick } from '../log/cut.builder.js';
import { type TestRegion, testRegion } from '../region.builder.js';
import { jsonText, rowRef, writing } from './apply.builder.js';

const TYPES = /* sql */ `
CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN scores AS int[];
CREATE TABLE everything (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  doubled bigint GENERATED ALWAYS AS (id * 2) STORED,
  "select" int, "Quoted ""name""" text, k0 text,
  b boolean, i2 smallint, i8 bigint, n numeric, n2 numeric(10,2), f4 real, f8 double precision, m money,
  t text, vc varchar(5), c char(5), q "char", nm name, by bytea, u uuid,
  d date, ti time, tz timetz, ts timestamp, tsz timestamptz, iv interval,
  j json, jb jsonb, jp jsonpath, dj document, x xml, tv tsvector, tq tsquery,
  ip inet, ci cidr, mac macaddr, bi bit(3), vb varbit, pt point, bx box, ln lsn_or_text,
  ia int[], ta text[], ma int[][], ja json[], mo mood, moa mood[], co pair, coa pair[], em email, sc scores,
  ir int4range, tr tstzrange, mr int4multirange, o oid, x8 xid8, rc regclass
)`.replace('lsn_or_text', 'pg_lsn');

const COLUMNS = `"select", "Quoted ""name""", k0, b, i2, i8, n, n2, f4, f8, m, t, vc, c, q, nm, by, u, d, ti, tz, ts, tsz, iv, j, jb, jp, dj, x,
  tv, tq, ip, ci, mac, bi, vb, pt, bx, ln, ia, ta, ma, ja, mo, moa, co, coa, em, sc, ir, tr, mr, o, x8, rc`;

const ROWS = [
  `1, 'tab	quote" \\ back', 'kay', true, -32768, 9223372036854775807, 12345678901234567890.1234567890123456789012345678901234567890, 1.10,
   '1e-45', '-0.0', '$1,234.50', E'line\\nbreak \\u2028 🙂', 'vc', 'ab', 'x', 'a name', '\\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
   '4713-01-01 BC', '24:00:00', '12:00:00.123456+05:30', '2026-02-03 04:05:06.789', '2026-02-03 04:05:06.789+02', '1 mon -2 days 03:04:05.6',
   '{"a":  1.0, "a": 2}', '{"a": 1.0}', '$.a[*]', '"a string"', '<a>&amp;</a>', 'a:1 b:2', 'a & !b',
   '192.168.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'10101', '(1.5,-2)', '(1,2),(0,0)', '16/B374D848',
   '{1,NULL,3}', ARRAY['', NULL, 'NULL', 'a,"b', '{}'], '[2:3][0:1]={{1,2},{3,4}}', ARRAY['{"x": [1,  2]}', '"s"', NULL]::json[],
   'it''s "fine"', '{sad,"it''s \\"fine\\""}', ROW(1, 'x, "y"')::pair, ARRAY[ROW(NULL, '')::pair, NULL], 'a@b', '{5,6}',
   '[1,5)', '[2026-01-01 00:00+00,)', '{[1,3),[5,7)}', 4294967295, '18446744073709551615', 'pg_class'`,
  `NULL, '', NULL, false, NULL, NULL, 'NaN', NULL, 'NaN', 'Infinity', NULL, '', '', '', '', '', '', NULL,
   'infinity', NULL, NULL, '-infinity', 'infinity', '0', 'null', 'null', NULL, '[]', '', '', NULL,
   '::1/64', '::/0', NULL, NULL, '', NULL, NULL, NULL, '{}', '{}', '{}', '{}', NULL, '{}', ROW(NULL, NULL)::pair, '{}', NULL, NULL,
   'empty', '(,)', '{}', NULL, NULL, NULL`,
  `2, repeat('long ', 100000), NULL, NULL, NULL, NULL, '-Infinity', NULL, '3.4028235e38', 0.1::float8 + 0.2, '-$0.01', NULL, NULL, '     ', '\\377',
   NULL, decode(repeat('00ff', 50000), 'hex'), NULL, NULL, '00:00:00', NULL, '294276-12-31 23:59:59.999999', '0001-01-01 00:00:00+00 BC',
   '-178000000 years', '"a string"', '"a string"', NULL, NULL, 'text <b/> text', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   '[0:1]={7,8}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
];

describe('values of every type', () => {
  let eu: TestRegion;
  beforeAll(async () => {
    eu = await testRegion();
    await eu.enrol(TYPES, 'everything');
    // A user's own settings change how values look to that user, and nothing else.
    await eu.user.query(
      `SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Kolkata'; SET bytea_output = 'escape'`,
    );
  });
  afterAll(() => eu.close());
  beforeEach(() => eu.user.query('DELETE FROM everything'));

  /** As one text of all values, in the settings of this session. */
  const stored = async (): Promise<unknown> =>
    (await eu.user.query(`SELECT md5(e::text), e.j::text, e.id FROM everything e ORDER BY id`)).rows;

  it('pass through capture, tick and apply exactly, inserted', async () => {
    for (const row of ROWS) await eu.user.query(`INSERT INTO everything (${COLUMNS}) VALUES (${row})`);
    const before = await stored();
    const { changes } = (await cutTick(eu))!;
    await eu.user.query('DELETE FROM everything');
    const effects: RowEffect[] = changes.map((c) => ({ table: c.table, key: c.key, kind: 'insert', values: c.patch! }));
    expect(await writing(eu, effects)).toEqual({ retry: null });
    expect(await stored()).toEqual(before);
  });

  it('pass through exactly, updated, and read back as capture writes them', async () => {
    for (const row of ROWS) {
      await eu.user.query('TRUNCATE everything; ALTER TABLE everything ALTER COLUMN id RESTART');
      await cutTick(eu);
      await eu.user.query(`INSERT INTO everything (${COLUMNS}) VALUES (${row})`);
      const before = await stored();
      const { key, table, patch } = (await cutTick(eu))!.changes[0]!;
      const read = async () => {
        const tx = await eu.apply.begin();
        const [state] = (await tx.read([{ table, key }])).values();
        await tx.rollback();
        return state!.values;
      };
      expect(await read()).toEqual(JSON.parse(patch!));
      const other = ROWS[(ROWS.indexOf(row) + 1) % ROWS.length]!;
      await eu.user.query(`UPDATE everything SET (${COLUMNS}) = ROW(${other})`);
      const { id: _id, ...values } = JSON.parse(patch!) as Record<string, string | null>;
      expect(await writing(eu, [{ table, key, kind: 'update', counters: 'add', values: jsonText(values) }])).toEqual({
        retry: null,
      });
      expect(await stored()).toEqual(before);
    }
  });

  it('a text of 10 MB passes through', async () => {
    const values = `{"id": "77", "t": "${'x'.repeat(10_000_000)}"}` as JsonText;
    expect(await writing(eu, [{ ...rowRef('public.everything', '77'), kind: 'insert', values }])).toEqual({
      retry: null,
    });
    expect((await eu.user.query('SELECT length(t) AS n FROM everything')).rows).toEqual([{ n: 10_000_000 }]);
  });
});
