import { type RowKey, type RowRef, type TableName } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { remoteTicks } from './remote-tick.builder.js';

const ITEM = 'public.item' as TableName;
const row = (id: string): RowRef => ({ table: ITEM, key: `["${id}"]` as RowKey });

describe('applying ticks of another region', () => {
  let eu: TestRegion;
  beforeAll(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, qty int, note text)', 'item');
  });
  afterAll(() => eu.close());
  beforeEach(async () => {
    await eu.user.query('TRUNCATE item');
  });

  it('I1: writes rows, log and vector in one transaction, and logs nothing as local', async () => {
    const us = remoteTicks('us');
    const tick = us.tick([{ op: 'insert', key: '["1"]', patch: { id: '1', qty: '5', note: null } }]);
    const tx = await eu.apply.begin();
    expect(await tx.lock([row('1')])).toEqual(new Map());
    expect(await tx.entriesAbove([row('1')], tick.deps)).toEqual([]);
    expect(await tx.write([{ kind: 'insert', ...row('1'), values: tick.changes[0]!.patch! }])).toEqual({ retry: null });
    await tx.append([tick]);
    expect(await tx.advance([tick], new Map([[us.origin, '17']]))).toEqual({ retry: null });
    await tx.takeCutLock();
    expect((await eu.apply.heads()).get(us.origin)).toBeUndefined();
    expect(await tx.commit()).toEqual({ retry: null });
    expect((await eu.user.query('SELECT * FROM item')).rows).toEqual([{ id: 1, qty: 5, note: null }]);
    expect((await eu.apply.heads()).get(us.origin)).toEqual({ seq: 1, digest: tick.digest, position: '17' });
    expect(
      (await eu.user.query('SELECT * FROM meridian.change WHERE rel = $1 AND seq IS NULL AND op <> $2', [ITEM, 'd']))
        .rows,
    ).toEqual([]);
    expect(await eu.ticks.readTicks(us.origin, tick.seq, { ticks: 10, changes: 10 })).toEqual([tick]);
  });
});
