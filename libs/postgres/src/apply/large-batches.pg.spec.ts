import type { ApplyTransaction, JsonText, RowEffect, Tick } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { rowRef } from './apply.builder.js';
import { remoteTicks } from './remote-tick.builder.js';

const DONE = { retry: null };
/** Two of them are more than one statement takes. */
const NOTE = 'x'.repeat(9_000_000);

const valuesOf = (id: number): JsonText => JSON.stringify({ id: `${id}`, note: NOTE }) as JsonText;
const insert = (id: number): RowEffect => ({
  ...rowRef('public.item', `${id}`),
  kind: 'insert',
  values: valuesOf(id),
});

describe('a batch that goes in pieces', () => {
  let eu: TestRegion;
  let tick: Tick;
  beforeAll(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, note text)', 'item');
    tick = remoteTicks('us').tick(
      [1, 2, 3].map((id) => ({ op: 'insert' as const, key: `["${id}"]`, patch: { id: `${id}`, note: NOTE } })),
    );
  });
  afterAll(() => eu.close());

  /** As an attempt does: all asked for at once. */
  const apply = async (tx: ApplyTransaction) => {
    await tx.hold(
      [1, 2, 3].map((id) => rowRef('public.item', `${id}`)),
      {},
    );
    const asked = [tx.write([1, 2, 3].map(insert)), tx.append([tick]), tx.advance([tick], new Map()), tx.commit()];
    return Promise.allSettled(asked);
  };
  const ids = async (): Promise<unknown[]> =>
    (await eu.user.query<{ id: number }>('SELECT id FROM item ORDER BY id')).rows.map(({ id }) => id);

  it('leaves nothing behind when a later piece fails: COMMIT stands behind all of them', async () => {
    await eu.apply.enrolments();
    const tx = await eu.apply.begin();
    await eu.user.query('INSERT INTO item VALUES (3)');
    const [written] = await apply(tx);
    expect(written).toMatchObject({ status: 'fulfilled', value: { retry: 'row appeared' } });
    expect(await ids()).toEqual([3]);
    expect((await eu.apply.heads()).get(tick.origin)).toBeUndefined();
    expect((await eu.user.query('SELECT FROM meridian.tick WHERE origin = $1', [tick.origin])).rowCount).toBe(0);
    await eu.user.query('DELETE FROM item');
  });

  it('is there whole when all have gone', async () => {
    const outcomes = await apply(await eu.apply.begin());
    expect(outcomes.map((o) => (o.status === 'fulfilled' ? o.value : (o.reason as unknown)))).toEqual([
      DONE,
      undefined,
      DONE,
      DONE,
    ]);
    expect(await ids()).toEqual([1, 2, 3]);
    expect((await eu.apply.heads()).get(tick.origin)).toMatchObject({ seq: 1 });
    expect(await eu.ticks.readTicks(tick.origin, tick.seq, { ticks: 1, changes: 9 })).toEqual([tick]);
  });
});
