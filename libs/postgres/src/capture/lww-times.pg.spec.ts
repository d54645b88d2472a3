import { microsOf } from '@meridian/core';
import { type TestDatabase, templateDatabase } from '@meridian/testkit';
import fc from 'fast-check';
import { Client } from 'pg';
import type { CatalogColumn } from '../catalog/catalog-table.js';
import { microseconds } from './expressions.js';

/* The moment that lww decides by: capture takes it from the column, and a preview from what the record tells of it. */

const two = (n: number): string => String(n).padStart(2, '0');
const yearsTo = (last: number) =>
  fc
    .oneof(fc.integer({ min: 1, max: last }), fc.integer({ min: 1900, max: 2100 }))
    .map((y) => String(y).padStart(4, '0'));
const days = (lastYear: number) =>
  fc
    .tuple(yearsTo(lastYear), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
    .map(([year, month, day]) => `${year}-${two(month)}-${two(day)}`);
const clocks = fc
  .tuple(fc.nat({ max: 23 }), fc.nat({ max: 59 }), fc.nat({ max: 59 }), fc.nat({ max: 999_999 }))
  .map(([h, m, s, micros]) => `${two(h)}:${two(m)}:${two(s)}.${String(micros).padStart(6, '0')}`);
const moments = fc.oneof(
  fc.tuple(days(294_275), clocks).map(([day, clock]) => `${day} ${clock}`),
  fc.tuple(days(4_700), clocks).map(([day, clock]) => `${day} ${clock} BC`),
);

describe('the moment by which lww decides', () => {
  let db: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    db = await templateDatabase();
    client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query(`SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'`);
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  it.each([
    ['timestamptz', moments],
    ['timestamp', moments],
    [
      'date',
      fc.oneof(
        days(5_874_897),
        days(4_700).map((day) => `${day} BC`),
      ),
    ],
  ])('of a %s is the same in SQL and in TypeScript', async (type, values) => {
    const micros = microseconds({ name: 't' } as CatalogColumn, 'n');
    const question = `SELECT n.t::text AS written, (${micros})::text AS micros FROM (SELECT v::${type} AS t FROM unnest($1::text[]) v) n`;
    const some = fc.array(fc.oneof({ weight: 9, arbitrary: values }, fc.constantFrom('infinity', '-infinity')), {
      minLength: 50,
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(some, async (written) => {
        const { rows } = await client.query<{ written: string; micros: string }>(question, [written]);
        for (const row of rows) expect([row.written, microsOf(row.written)]).toEqual([row.written, BigInt(row.micros)]);
      }),
      { numRuns: Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? 25) },
    );
  });
});
