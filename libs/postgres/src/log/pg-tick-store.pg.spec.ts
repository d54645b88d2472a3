import { type Change, foldChanges, seq, type Tick, tickDigest } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { sha256 } from './digest.js';

const NO_COUNTERS = () => new Set<string>();

/** As the relay does it. */
async function cut(region: TestRegion): Promise<Tick | null> {
  const open = await region.ticks.openCut();
  const changes = foldChanges(await open.changes(), NO_COUNTERS);
  if (changes.length === 0) {
    await open.abandon();
    return null;
  }
  const content = { ...open.header, changes: changes.map((c): Change => ({ ...c, seq: open.header.seq })) };
  const tick: Tick = { ...content, digest: tickDigest(content, sha256) };
  await open.commit(tick);
  return tick;
}

const keys = (tick: Tick | null): string[] => tick?.changes.map((c) => c.key) ?? [];

describe('ticks cut from the log of PostgreSQL', () => {
  let eu: TestRegion;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE item (id int PRIMARY KEY, qty int, note text)', 'item');
  });
  afterEach(() => eu.close());

  it('I4: a transaction is in one tick, whole, and an idle region cuts none', async () => {
    expect(await cut(eu)).toBeNull();
    await eu.user.query('BEGIN; INSERT INTO item VALUES (1, 1), (2, 2); UPDATE item SET qty = 3 WHERE id = 1');
    expect(await cut(eu)).toBeNull();
    await eu.user.query('COMMIT');
    const tick = await cut(eu);
    expect(keys(tick)).toEqual(['["1"]', '["2"]']);
    expect(tick).toMatchObject({ origin: 'eu', seq: 1, deps: { eu: 0 }, previous: '' });
    expect(await cut(eu)).toBeNull();
  });

  it('ships a transaction that commits late once, though its number is below those shipped before', async () => {
    const slow = await eu.connect();
    await slow.query('BEGIN; INSERT INTO item VALUES (1)');
    await eu.user.query('INSERT INTO item VALUES (2)');
    expect(keys(await cut(eu))).toEqual(['["2"]']);
    await eu.user.query('INSERT INTO item VALUES (3)');
    expect(keys(await cut(eu))).toEqual(['["3"]']);
    await slow.query('COMMIT');
    expect(keys(await cut(eu))).toEqual(['["1"]']);
    expect(await cut(eu)).toBeNull();
  });
});
