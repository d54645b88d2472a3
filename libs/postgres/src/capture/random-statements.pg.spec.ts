import { templateDatabase } from '@meridian/testkit';
import fc from 'fast-check';
import { CapturedDatabase } from '../testing/captured-database.js';

const id = fc.integer({ min: 1, max: 5 });
const step = fc.constantFrom(-2, -1, 1, 2);
const text = fc.constantFrom('a', 'b', 'c').map((t) => `'${t}'`);

/** Statements that a user writes, of all the ways in which rows and keys come, change and go. $T is the table. */
const statement = fc.oneof(
  fc.tuple(id, text).map(([k, t]) => `INSERT INTO $T VALUES (${k}, ${t}, ${k})`),
  fc
    .tuple(id, id, text)
    .map(([from, to, t]) => `INSERT INTO $T SELECT g, ${t}, g FROM generate_series(${from}, ${to}) g`),
  fc
    .tuple(id, text)
    .map(
      ([k, t]) => `INSERT INTO $T VALUES (${k}, ${t}, 1) ON CONFLICT (id) DO UPDATE SET x = excluded.x, n = $T.n + 1`,
    ),
  fc.tuple(id, text).map(([k, t]) => `UPDATE $T SET x = ${t}, n = n + 1 WHERE id <= ${k}`),
  fc
    .tuple(id, step, text)
    .map(([k, d, t]) => `UPDATE $T SET id = CASE id WHEN ${k} THEN ${k} + ${d} ELSE id END, x = ${t}, n = n + 1`),
  fc.tuple(id, step).map(([k, d]) => `UPDATE $T SET id = id + ${d}, n = n + 1 WHERE id >= ${k}`),
  fc
    .tuple(id, id, text)
    .map(
      ([a, b, t]) => `UPDATE $T SET id = CASE id WHEN ${a} THEN ${b} ELSE ${a} END, x = ${t} WHERE id IN (${a}, ${b})`,
    ),
  id.map((k) => `DELETE FROM $T WHERE id = ${k}`),
  id.map((k) => `DELETE FROM $T WHERE id >= ${k}`),
  fc
    .tuple(id, text)
    .map(
      ([k, t]) =>
        `WITH gone AS (DELETE FROM $T WHERE id <= ${k} RETURNING *) INSERT INTO $T SELECT id, ${t}, 0 FROM gone`,
    ),
  fc
    .tuple(id, step, text)
    .map(
      ([k, d, t]) =>
        `WITH moved AS (UPDATE $T SET id = id + ${d} WHERE id = ${k} RETURNING *) INSERT INTO $T SELECT ${k}, ${t}, 0 FROM moved`,
    ),
  fc.tuple(id, id, step).map(
    ([a, b, d]) => `MERGE INTO $T t USING (VALUES (${a}, 1), (${b}, 2)) s(id, what) ON t.id = s.id
        WHEN MATCHED AND what = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET id = t.id + ${d} WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'm', 0)`,
  ),
  fc.constant('TRUNCATE $T'),
);

/** Each behind a savepoint: one that fails (a key is taken) is as if it had never been. */
const transaction = fc.array(fc.record({ sql: statement, undone: fc.boolean() }), { minLength: 1, maxLength: 6 });

describe('capture of random statements', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await CapturedDatabase.open(await templateDatabase());
    await db.run(`
      CREATE TABLE plain (id int PRIMARY KEY, x text, n int NOT NULL);
      CREATE TABLE claims (id int PRIMARY KEY, x text, n int NOT NULL, UNIQUE (n, x));
      CREATE TABLE watched (id int PRIMARY KEY, x text, n int NOT NULL);
      CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER watches AFTER INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION nothing()`);
    for (const table of ['plain', 'watched']) await db.enrol(table, { columns: { n: 'counter' } });
    await db.enrol('claims');
  });
  afterAll(() => db.close());

  async function run(
    table: string,
    work: readonly { readonly sql: string; readonly undone: boolean }[],
  ): Promise<void> {
    await db.run('BEGIN');
    for (const { sql, undone } of work) {
      await db.run('SAVEPOINT s');
      const failed = await db.run(sql.replaceAll('$T', table)).catch((error: { code: string }) => {
        // A unique or a cardinality violation, as the user meets them; whatever else is capture's fault.
        if (!['23505', '21000'].includes(error.code)) throw error;
        return true;
      });
      if (undone || failed === true) await db.run('ROLLBACK TO s');
    }
    await db.run('COMMIT');
  }

  it.each([
    ['plain', ['n']],
    ['watched', ['n']],
    ['claims', []],
  ])(
    'I4: the log of %s, entry by entry, is what happened to it',
    async (table, counters) => {
      await fc.assert(
        fc
          .asyncProperty(fc.array(transaction, { minLength: 1, maxLength: 3 }), async (transactions) => {
            for (const work of transactions) await run(table, work);
            expect(await db.replayed(`public.${table}`, counters)).toEqual(await db.content(`public.${table}`));
          })
          .afterEach(() => db.run(`ROLLBACK; DELETE FROM ${table}; DELETE FROM meridian.change`)),
        { numRuns: 150 },
      );
    },
    60_000,
  );
});
