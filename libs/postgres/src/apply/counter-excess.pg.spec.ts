import type { RowEffect, RowRef } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { applying, jsonText, rowRef, writing } from './apply.builder.js';

const item = (id: string): RowRef => rowRef('public.item', id);
const DONE = { retry: null };

describe('I7: a counter beyond its type', () => {
  let eu: TestRegion;
  beforeAll(async () => {
    eu = await testRegion();
    const ddl = `CREATE TABLE item (id int PRIMARY KEY, name text, n int NOT NULL, tiny int2 NOT NULL DEFAULT 0,
      huge int8 NOT NULL DEFAULT 0, price numeric(4,2) NOT NULL DEFAULT 0, free numeric NOT NULL DEFAULT 0)`;
    const counters = ['n', 'tiny', 'huge', 'price', 'free'].map((c) => [c, 'counter']);
    await eu.enrol(ddl, 'item', { columns: Object.fromEntries(counters) as object });
  });
  afterAll(() => eu.close());
  beforeEach(() =>
    eu.user.query(
      `DELETE FROM item; DELETE FROM meridian.counter_excess; INSERT INTO item VALUES (1, 'one', 2147483640)`,
    ),
  );

  const update = (values: object, counters: 'add' | 'set' = 'add'): RowEffect => ({
    ...item('1'),
    kind: 'update',
    counters,
    values: jsonText(values),
  });
  const whole = (n: string) => ({ id: '1', name: 'one', n, tiny: '0', huge: '0', price: '0.00', free: '0' });
  /** As the applier does it: once more when a counter ran over. */
  async function write(...effects: RowEffect[]): Promise<void> {
    const outcome = await writing(eu, effects);
    expect(outcome.retry === 'counter overflow' ? await writing(eu, effects) : outcome).toEqual(DONE);
  }
  const column = async (sql: string): Promise<unknown[]> =>
    (await eu.user.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  const shown = (): Promise<unknown[]> => column('SELECT n FROM item ORDER BY id');
  const excess = (): Promise<unknown[]> =>
    column(`SELECT concat(pk, column_name, ' ', excess) FROM meridian.counter_excess ORDER BY 1`);
  const full = async (name = 'n'): Promise<unknown> =>
    applying(eu, async (tx) => [...(await tx.read([item('1')])).values()][0]?.values[name]);

  it('is kept in full, shows the bound, and comes back by what brings it back', async () => {
    await write(update({ n: '10' }));
    expect([await shown(), await full()]).toEqual([[2147483647], '2147483650']);
    await write(update({ n: '-2' }));
    expect([await shown(), await full()]).toEqual([[2147483647], '2147483648']);
    await write(update({ n: '-2', name: 'still one' }));
    expect([await shown(), await full(), await excess()]).toEqual([[2147483646], '2147483646', []]);
    expect(await column('SELECT name FROM item')).toEqual(['still one']);
  });

  it.each([
    ['tiny', '-40000', '-32768'],
    ['huge', '10000000000000000000', '9223372036854775807'],
    ['price', '-123.45', '-99.99'],
    ['free', `1${'0'.repeat(40)}`, `1${'0'.repeat(40)}`],
  ])('of %s as well', async (name, sum, bound) => {
    await write(update({ [name]: sum, n: '1' }));
    expect(await column(`SELECT ${name}::text FROM item`)).toEqual([bound]);
    await write(update({ [name]: `-${sum}`.replace('--', '') }));
    expect(await column(`SELECT ${name} = 0 FROM item`)).toEqual([true]);
    expect(await excess()).toEqual([]);
  });

  it('is added to exactly by who knows of no excess; the sweep is told, and shows what it can', async () => {
    await eu.apply.enrolments();
    await eu.user.query(`INSERT INTO meridian.counter_excess VALUES ('public.item', '["1"]', 'n', 3)`);
    const tx = await eu.apply.begin();
    expect(await tx.write([update({ n: '7' })])).toEqual(DONE);
    await tx.commit();
    expect([await shown(), await full()]).toEqual([[2147483647], '2147483650']);
    await eu.user.query('UPDATE item SET n = n - 5');
    expect([await shown(), await full()]).toEqual([[2147483642], '2147483645']);
    expect(await applying(eu, (other) => other.unsettled())).toEqual([item('1')]);
    await write({ ...item('1'), kind: 'settle' });
    expect([await shown(), await full(), await excess()]).toEqual([[2147483645], '2147483645', []]);
    expect(await applying(eu, (other) => other.unsettled())).toEqual([]);
  });

  it('has no excess any more when it is set, deleted or parked, but for what is beyond again', async () => {
    await write(update({ n: '10' }));
    await write(update({ n: '5' }, 'set'));
    expect([await shown(), await excess()]).toEqual([[5], []]);
    await write(update({ n: '2147483649' }, 'set'));
    expect([await shown(), await excess()]).toEqual([[2147483647], ['["1"]n 2']]);
    await write({ ...item('1'), kind: 'replace', values: jsonText(whole('-2147483649')) });
    expect([await shown(), await excess()]).toEqual([[-2147483648], ['["1"]n -1']]);
    const because = { kind: 'unique_key', constraint: 'some', other: item('2') } as const;
    await write({ ...item('1'), kind: 'park', values: jsonText(whole('2147483650')), claims: jsonText({}), because });
    expect([await shown(), await excess(), await full()]).toEqual([[], [], '2147483650']);
    await write(
      { ...item('1'), kind: 'unpark' },
      { ...item('1'), kind: 'insert', values: jsonText(whole('2147483650')) },
    );
    expect([await shown(), await excess()]).toEqual([[2147483647], ['["1"]n 3']]);
    await write({ ...item('1'), kind: 'delete' });
    expect([await shown(), await excess()]).toEqual([[], []]);
  });

  it('a snapshot that does not see the excess cannot delete the row without it', async () => {
    await write(update({ n: '7' }));
    const other = await eu.connect();
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM item');
    await write(update({ n: '7' }));
    expect([await shown(), await excess()]).toEqual([[2147483647], ['["1"]n 7']]);
    await expect(other.query('DELETE FROM item')).rejects.toThrow(/could not serialize access/);
    await other.query('ROLLBACK');
  });
});
