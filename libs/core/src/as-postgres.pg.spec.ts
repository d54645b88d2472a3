import { type TestDatabase, templateDatabase } from '@meridian/testkit';
import fc from 'fast-check';
import { Client } from 'pg';
import { addDecimals, negateDecimal } from './change/decimal.js';
import { arrayText, elementsOf } from './merge/array-text.js';
import { documentOf, leavesOf } from './merge/json-leaves.js';
import type { ValueOrder } from './policy/table-policy.js';
import { compareValues } from './policy/value-order.js';

/*
 * What capture, apply or the region's own writers do in SQL, and the core does again where it decides or folds: both on the same
 * random values. A value is what PostgreSQL writes of it, as it comes in a change.
 */

/** Asked for at a time: a question each would measure the connection. */
const MANY = { minLength: 50, maxLength: 200 };
const RUNS = { numRuns: Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? 25) };

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const sign = fc.constantFrom('', '-');
const integer = fc.tuple(sign, digits(30)).map((parts) => parts.join(''));
const numeric = fc.oneof(
  integer,
  fc.tuple(sign, digits(30), fc.constant('.'), digits(20)).map((parts) => parts.join('')),
);
const special = fc.constantFrom('NaN', 'Infinity', '-Infinity');
const two = (n: number): string => String(n).padStart(2, '0');
const day = fc
  .record({
    year: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1900, max: 2100 }) },
      fc.integer({ min: 1, max: 294_275 }),
    ),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
  })
  .map((d) => `${String(d.year).padStart(4, '0')}-${two(d.month)}-${two(d.day)}`);
const clock = fc
  .record({
    hour: fc.nat({ max: 23 }),
    minute: fc.nat({ max: 59 }),
    second: fc.nat({ max: 59 }),
    fraction: fc.oneof(
      fc.constant(''),
      fc.stringMatching(/^[0-9]{1,6}$/).map((f) => `.${f}`),
    ),
  })
  .map((t) => `${two(t.hour)}:${two(t.minute)}:${two(t.second)}${t.fraction}`);
/** Before Christ PostgreSQL knows 4,713 years. */
const time = fc
  .tuple(day, clock, fc.constantFrom('', '', ' BC'))
  .map(([d, t, era]) => (era !== '' && Number(d.slice(0, -6)) > 4_700 ? `${d} ${t}` : `${d} ${t}${era}`));
const times = fc.oneof({ weight: 9, arbitrary: time }, fc.constantFrom('infinity', '-infinity'));
/** Of all of Unicode but NUL, which PostgreSQL keeps in no text. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).map((t) => t.replaceAll('\0', '0'));

describe('in SQL and in TypeScript', () => {
  let db: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    db = await templateDatabase();
    client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query(`SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET extra_float_digits = 1`);
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  const asked = async <T extends object>(query: string, ...values: unknown[]): Promise<T[]> =>
    (await client.query<T>(query, values)).rows;

  it('the difference and the sum of counters are the same, to the last digit (I7)', async () => {
    const question = `SELECT a::numeric::text AS a, b::numeric::text AS b, (a::numeric + b::numeric)::text AS sum, (a::numeric - b::numeric)::text AS difference
                        FROM unnest($1::text[], $2::text[]) AS t(a, b)`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(numeric, numeric), MANY), async (pairs) => {
        const rows = await asked<Record<'a' | 'b' | 'sum' | 'difference', string>>(
          question,
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
        for (const { a, b, sum, difference } of rows) {
          expect(addDecimals(a, b)).toBe(sum);
          expect(addDecimals(a, negateDecimal(b))).toBe(difference);
        }
      }),
      RUNS,
    );
  });

  it.each<[type: string, order: ValueOrder, values: fc.Arbitrary<string>]>([
    ['bigint', 'number', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
    ['numeric', 'number', fc.oneof({ weight: 9, arbitrary: numeric }, special)],
    ['double precision', 'number', fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true }).map(String) }, special)],
    ['real', 'number', fc.oneof({ weight: 9, arbitrary: fc.float({ noNaN: true }).map(String) }, special)],
    ['timestamptz', 'time', times],
    ['timestamp', 'time', times],
    ['date', 'time', fc.oneof({ weight: 9, arbitrary: day }, fc.constantFrom('infinity', '-infinity'))],
    ['boolean', 'boolean', fc.constantFrom('true', 'false')],
  ])('the greater %s is the greater one', async (type, order, values) => {
    const question = `SELECT a::${type}::text AS a, b::${type}::text AS b,
                             CASE WHEN a::${type} < b::${type} THEN -1 WHEN a::${type} > b::${type} THEN 1 ELSE 0 END AS comes
                        FROM unnest($1::text[], $2::text[]) AS t(a, b)`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(values, values), MANY), async (pairs) => {
        const rows = await asked<{ a: string; b: string; comes: number }>(
          question,
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
        for (const { a, b, comes } of rows) expect([a, b, compareValues(order, a, b)]).toEqual([a, b, comes]);
      }),
      RUNS,
    );
  });

  it('an array has the same elements, and is written so that it has them again', async () => {
    const question = `SELECT a::text[]::text AS written, array(SELECT e FROM unnest(a::text[]) e)::text[] AS elements FROM unnest($1::text[]) AS a`;
    const element = fc.option(fc.oneof(text, fc.constantFrom('NULL', 'null', '', 'a,b', '{', '"', '\\', ' ')));
    const array = fc.array(element, { maxLength: 6 });
    const literal = (elements: readonly (string | null)[]): string =>
      `{${elements.map((e) => (e === null ? 'NULL' : `"${e.replaceAll(/(["\\])/g, '\\$1')}"`)).join(',')}}`;
    await fc.assert(
      fc.asyncProperty(fc.array(array, MANY), async (arrays) => {
        const rows = await asked<{ written: string; elements: (string | null)[] }>(question, arrays.map(literal));
        for (const { written, elements } of rows) {
          expect([written, elementsOf(written).length]).toEqual([written, elements.length]);
          expect(arrayText(elementsOf(written))).toBe(written);
        }
        const turned = rows.map(({ written }) => arrayText([...elementsOf(written)].reverse()));
        const again = await asked<{ elements: (string | null)[] }>(question, turned);
        expect(again.map(({ elements }) => elements)).toEqual(rows.map(({ elements }) => [...elements].reverse()));
      }),
      RUNS,
    );
  });

  it('a document is written as PostgreSQL writes it, its members in the same order', async () => {
    const question = `SELECT d::jsonb::text AS written FROM unnest($1::text[]) AS d`;
    const { document } = fc.letrec<{ document: unknown; value: unknown }>((tie) => ({
      document: fc.dictionary(text, tie('value'), { minKeys: 1, maxKeys: 5 }),
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          text,
        ),
        fc.array(fc.oneof(fc.integer(), text, fc.constant([]), fc.constant({})), { maxLength: 3 }),
        tie('document'),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(document, MANY), async (documents) => {
        for (const { written } of await asked<{ written: string }>(
          question,
          documents.map((d) => JSON.stringify(d)),
        ))
          expect(documentOf(leavesOf(written))).toBe(written);
      }),
      RUNS,
    );
  });
});
