import type { Entry } from '../causality/coverage.js';
import { type Said, entry } from '../change/change.builder.js';
import type { Values } from '../change/change.js';
import { type RegionId, type RowKey, type TableName, regionId } from '../ids.js';
import type { TableSpec } from '../policy/table-policy.js';
import type { ClockOffsets } from './clock-offsets.js';
import type { ConflictRecord } from './record.js';
import { recordId, recordVerdicts, touchedRecordIds } from './recording.js';
import { resolve } from './resolve.js';
import { versionOf } from './explain.js';
import { itemsRow, itemsSpec } from './row.builder.js';

const REF = { table: 'public.items' as TableName, key: '["1"]' as RowKey };
const digest = (text: string) => Buffer.from(text).toString('hex').padStart(32, '0');
const HLC = itemsSpec({ kind: 'hlc' }, 'update-wins');
const ROW = itemsRow;

/** Changes of different regions in tick 1, that know nothing of each other. */
const write = (origin: string, id: number, said: Said = {}): Entry => entry(origin, id, { seq: 1, deps: {}, ...said });
const x = (origin: string, id: number, value: string, said: Said = {}) =>
  write(origin, id, { patch: { x: value }, before: { x: '0' }, ...said });

const by = (actor: string, e: Entry): Entry => ({ ...e, actor });

/** The records of one region, as deciding one arriving change after another leaves them. */
class Records {
  readonly held = new Map<string, ConflictRecord>();
  constructor(
    private readonly region: RegionId,
    private readonly spec: TableSpec = HLC,
    private readonly offsets?: ClockOffsets,
  ) {}

  decide(arriving: Entry, uncovered: readonly Entry[]): readonly ConflictRecord[] {
    const recordings = [{ ref: REF, resolution: resolve(this.spec, arriving, uncovered, ROW) }];
    const ids = touchedRecordIds(digest, this.region, recordings);
    const existing = new Map([...this.held].filter(([id]) => ids.includes(id)));
    const changed = recordVerdicts(digest, this.region, recordings, existing, this.offsets);
    for (const record of changed) this.held.set(record.id, record);
    return changed;
  }

  of(change: Entry): ConflictRecord | undefined {
    return this.held.get(recordId(digest, REF, change));
  }
}

const EU = regionId('eu');
const US = regionId('us');

describe('recording a conflict', () => {
  it('only the region where the overwritten change was written records it: once for the cluster', () => {
    const [won, lost] = [x('eu', 2, 'b'), x('us', 1, 'a')];
    expect(new Records(US).decide(won, [lost])).toHaveLength(1);
    expect(new Records(EU).decide(lost, [won])).toEqual([]);
    expect(new Records(regionId('ap')).decide(won, [lost])).toEqual([]);
  });

  it('tells who wrote each version with what, and the policy with the epoch it came with', () => {
    const records = new Records(US, { ...HLC, epoch: 7 });
    const [won, lost] = [by('eve\tpsql', x('eu', 2, 'b')), by('a/b\t', x('us', 1, 'a'))];
    records.decide(won, [lost]);
    const { versions, overwritten } = records.of(lost)!;
    expect(versions.map((v) => [v.actor, v.application])).toEqual([
      ['a/b', ''],
      ['eve', 'psql'],
    ]);
    expect(overwritten.map((o) => [o.policy, o.epoch])).toEqual([['hlc', 7]]);
    expect(versionOf(by('app/psql', x('us', 3, 'c')))).toMatchObject({ actor: 'app/psql', application: null });
  });

  it('tells how far the clocks of other regions were ahead when it recorded them, and not what they are later', () => {
    let ahead = 40;
    const records = new Records(US, HLC, (origin) => (origin === 'eu' ? ahead : null));
    const lost = x('us', 1, 'a');
    const [won, later] = [x('eu', 2, 'b'), x('ap', 3, 'c')];
    records.decide(won, [lost]);
    ahead = -7;
    records.decide(later, [lost, won]);
    const { loser, versions } = records.of(lost)!;
    expect(loser.clockOffsetMs).toBe(0);
    expect(versions.map((v) => [v.origin, v.clockOffsetMs])).toEqual([
      ['us', 0],
      ['eu', 40],
      ['ap', null],
    ]);
  });

  it('holds all of a row whose delete won, whatever else follows, so that it can be written back', () => {
    const records = new Records(US, itemsSpec({ kind: 'hlc' }, 'delete-wins'));
    const lost = x('us', 1, 'a');
    const deleted = write('eu', 2, { op: 'delete', before: ROW });
    records.decide(deleted, [lost]);
    expect(records.of(lost)!.base).toEqual(ROW);
    records.decide(x('ap', 3, 'c'), [lost, deleted]);
    expect(records.of(lost)!.base).toEqual(ROW);
  });

  it('holds both versions, the base, the values, the policy and the reason in words (I3)', () => {
    const records = new Records(US);
    const lost = x('us', 1, 'a', { stamp: 1 << 16 });
    records.decide(x('eu', 2, 'b', { stamp: 13 << 16 }), [lost]);
    expect(records.of(lost)).toMatchObject({
      table: 'public.items',
      key: '["1"]',
      kind: 'update_origin_differs',
      region: 'us',
      status: 'open',
      loser: { origin: 'us', id: 1, values: { x: 'a' }, actor: 'somebody in us' },
      versions: [{ origin: 'us' }, { origin: 'eu' }],
      base: { x: '0' },
      overwritten: [
        { columns: ['x'], policy: 'hlc', winner: { origin: 'eu', id: 2 }, lost: { x: 'a' }, result: { x: 'b' } },
      ],
      result: { ...ROW, x: 'b' },
      reason: "x: eu's write won: its stamp is 12 ms later; us had not yet seen it",
    });
  });

  it('equal values are no conflict', () => {
    expect(new Records(US).decide(x('eu', 2, 'same'), [x('us', 1, 'same')])).toEqual([]);
  });

  it('different columns are no conflict, nor are counters', () => {
    const records = new Records(US);
    expect(records.decide(write('eu', 2, { patch: { amount: '5', currency: 'EUR' } }), [x('us', 1, 'a')])).toEqual([]);
    expect(records.decide(write('eu', 2, { patch: { n: '5' } }), [write('us', 1, { patch: { n: '3' } })])).toEqual([]);
  });

  it('one overwritten change has one record, with one entry for each of its columns and groups', () => {
    const records = new Records(US);
    const both: Values = { x: 'a', amount: '1', currency: 'EUR' };
    const lost = write('us', 1, { patch: both });
    records.decide(write('eu', 2, { patch: { x: 'b', amount: '1', currency: 'USD' } }), [lost]);
    expect(records.held.size).toBe(1);
    expect(records.of(lost)!.overwritten.map((o) => [o.columns, o.lost])).toEqual([
      [['x'], { x: 'a' }],
      [['amount', 'currency'], { amount: '1', currency: 'EUR' }],
    ]);
  });

  it('follows when a later arrival is the new winner', () => {
    const records = new Records(US);
    const lost = x('us', 1, 'a');
    const [second, third] = [x('eu', 2, 'b'), x('ap', 3, 'c')];
    records.decide(second, [lost]);
    records.decide(third, [lost, second]);
    expect(records.of(lost)).toMatchObject({
      status: 'open',
      overwritten: [{ columns: ['x'], winner: { origin: 'ap', id: 3 } }],
      versions: [{ origin: 'us' }, { origin: 'eu' }, { origin: 'ap' }],
    });
  });

  it('is withdrawn when the overwritten change is the winner after all', () => {
    const records = new Records(US);
    const own = x('us', 5, 'a', { stamp: 5 });
    records.decide(x('eu', 9, 'b', { stamp: 9 }), [own]);
    // ap saw eu's write and took it back; its clock is behind.
    records.decide(x('ap', 1, 'c', { stamp: 1, deps: { eu: 1 } }), [own]);
    expect(records.of(own)).toMatchObject({ status: 'withdrawn' });
  });

  it.each(['update-wins', 'delete-wins', 'by-stamp'] as const)(
    'tells that the row went on under another key, whatever the delete policy (%s) and the stamps',
    (policy) => {
      const records = new Records(US, itemsSpec({ kind: 'hlc' }, policy));
      const own = x('us', 9, 'a', { stamp: 9 });
      records.decide(write('eu', 6, { op: 'delete', stamp: 1, patch: {}, before: ROW }), [own]);
      expect(records.of(own)).toMatchObject({
        kind: 'update_deleted',
        result: null,
        reason: 'in eu the row went on under another key; us had not yet seen it',
      });
    },
  );

  it('is not opened for a row that another one refers to, though it went on under another key', () => {
    const records = new Records(US, HLC);
    const touch = write('us', 9, { patch: {} });
    records.decide(write('eu', 6, { op: 'delete', patch: {}, before: ROW }), [touch]);
    expect(records.of(touch)).toBeUndefined();
  });

  it('is withdrawn when a delete that had overwritten the change is itself overwritten', () => {
    const records = new Records(US, itemsSpec({ kind: 'hlc' }, 'delete-wins'));
    const own = x('us', 5, 'a');
    const removal = write('eu', 6, { op: 'delete', before: ROW });
    records.decide(removal, [own]);
    expect(records.of(own)).toMatchObject({ kind: 'update_deleted', status: 'open', result: null });
    records.decide(write('eu', 7, { op: 'insert', seq: 2, stamp: 1, patch: ROW, deps: { eu: 1 } }), [own]);
    expect(records.of(own)).toMatchObject({ status: 'withdrawn' });
  });

  it('names the conflict by what is overwritten still, not by a delete that was itself overwritten', () => {
    const records = new Records(US, itemsSpec({ kind: 'hlc' }, 'delete-wins'));
    const own = x('us', 5, 'a');
    records.decide(write('eu', 6, { op: 'delete', before: ROW }), [own]);
    records.decide(write('eu', 7, { op: 'insert', seq: 2, patch: ROW, deps: { eu: 1 } }), [own]);
    expect(records.of(own)).toMatchObject({
      kind: 'update_origin_differs',
      status: 'open',
      overwritten: [{ columns: ['x'] }],
    });
  });

  it('what is overwritten and won back within one batch was never a conflict', () => {
    const spec = itemsSpec({ kind: 'hlc' }, 'delete-wins');
    const own = x('us', 5, 'a');
    const removal = write('eu', 6, { op: 'delete', before: ROW });
    const anew = write('eu', 7, { op: 'insert', stamp: 1, patch: ROW });
    const recordings = [removal, anew].map((e) => ({ ref: REF, resolution: resolve(spec, e, [own], ROW) }));
    expect(recordVerdicts(digest, US, recordings, new Map())).toEqual([]);
  });

  it('a record that was withdrawn and opens again tells only what is overwritten now', () => {
    const records = new Records(US);
    const own = write('us', 5, { patch: { x: 'a', amount: '1', currency: 'EUR' } });
    records.decide(write('eu', 9, { patch: { x: 'b', amount: '2', currency: 'USD' } }), [own]);
    const back = { amount: '0', currency: 'EUR', x: '0' };
    records.decide(write('eu', 10, { seq: 2, deps: { eu: 1 }, patch: back, stamp: 1 }), [own]);
    expect(records.of(own)).toMatchObject({ status: 'withdrawn' });
    records.decide(x('ap', 11, 'c'), [own]);
    expect(records.of(own)!.status).toBe('open');
    expect(records.of(own)!.overwritten.map((o) => o.columns)).toEqual([['x']]);
  });

  it('of several columns one that is won back leaves the record open for the others', () => {
    const records = new Records(US);
    const own = write('us', 5, { patch: { x: 'a', amount: '1', currency: 'EUR' } });
    records.decide(write('eu', 9, { patch: { x: 'b', amount: '2', currency: 'USD' } }), [own]);
    records.decide(x('eu', 10, '0', { seq: 2, deps: { eu: 1 }, stamp: 1 }), [own]);
    expect(records.of(own)).toMatchObject({ status: 'open', overwritten: [{ columns: ['amount', 'currency'] }] });
  });

  it('a delete that an update overrides is recorded by the deleting region', () => {
    const records = new Records(US);
    const removal = write('us', 5, { op: 'delete', before: ROW });
    records.decide(x('eu', 4, 'b'), [removal]);
    expect(records.of(removal)).toMatchObject({
      kind: 'delete_origin_differs',
      reason: "eu's write kept the row: the policy of this table is update-wins; us had not yet seen it",
    });
  });

  it('two inserts of one key are insert_exists', () => {
    const records = new Records(US);
    const own = write('us', 1, { op: 'insert', patch: ROW });
    records.decide(write('eu', 2, { op: 'insert', patch: { ...ROW, x: '7' } }), [own]);
    expect(records.of(own)).toMatchObject({ kind: 'insert_exists', base: null });
  });
});

describe('the reason', () => {
  const reason = (spec: TableSpec, won: Entry, lost: Entry) => {
    const records = new Records(lost.origin, spec);
    records.decide(won, [lost]);
    return records.of(lost)?.reason;
  };
  const LWW = itemsSpec({ kind: 'lww', column: null }, 'update-wins');

  it.each<[string, string | undefined, string]>([
    [
      'a later millisecond',
      reason(HLC, x('eu', 1, 'b', { stamp: 2 << 16 }), x('us', 1, 'a', { stamp: 1 << 16 })),
      'its stamp is 1 ms later',
    ],
    [
      'the same millisecond',
      reason(HLC, x('eu', 1, 'b', { stamp: 2 }), x('us', 1, 'a', { stamp: 1 })),
      'later within the same millisecond',
    ],
    [
      'equal stamps',
      reason(HLC, x('us', 1, 'b', { stamp: 1 }), x('eu', 1, 'a', { stamp: 1 })),
      'us ranks after eu by name',
    ],
    [
      'wall clocks',
      reason(LWW, x('eu', 1, 'b', { wall: 5_000_000 }), x('us', 1, 'a', { wall: 2_000_000 })),
      'its wall clock is 3000 ms later',
    ],
    [
      'equal wall clocks',
      reason(LWW, x('eu', 2, 'b', { wall: 5 }), x('us', 1, 'a', { wall: 5 })),
      'its stamp is later',
    ],
    [
      'a delete that wins by policy',
      reason(itemsSpec({ kind: 'hlc' }, 'delete-wins'), write('eu', 1, { op: 'delete' }), x('us', 9, 'a')),
      'the policy of this table is delete-wins',
    ],
    [
      'a delete that wins by stamp',
      reason(itemsSpec({ kind: 'hlc' }, 'by-stamp'), write('eu', 9, { op: 'delete' }), x('us', 1, 'a')),
      "eu's delete won: its stamp is the latest",
    ],
    [
      'a touch, against the policy',
      reason(itemsSpec({ kind: 'hlc' }, 'delete-wins'), write('eu', 1), write('us', 9, { op: 'delete' })),
      'a row that refers to it was written',
    ],
    [
      'a touch, against the stamps',
      reason(itemsSpec({ kind: 'hlc' }, 'by-stamp'), write('eu', 1), write('us', 9, { op: 'delete' })),
      'a row that refers to it was written',
    ],
  ])('names %s', (_what, told, part) => {
    expect(told).toContain(part);
  });

  it('a wall clock of infinity (an lww column) is no failure', () => {
    const records = new Records(US, LWW);
    const own = x('us', 1, 'a', { wall: -Number.MAX_SAFE_INTEGER });
    records.decide({ ...x('eu', 2, 'b'), wall: 2n ** 63n - 1n }, [own]);
    expect(records.of(own)!.versions.map((v) => v.wall)).toContain('infinity');
  });
});
