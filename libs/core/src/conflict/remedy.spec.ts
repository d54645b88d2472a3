import { type RegionId, regionId, type RowKey, type TableName } from '../ids.js';
import type { ConflictRecord, ConflictVersion } from './record.js';
import { type Choice, remedyOf, reversalOf, writeOf } from './remedy.js';

const version = (origin: string, id: number, said: Partial<ConflictVersion> = {}): ConflictVersion => ({
  ...{ origin: regionId(origin), id, op: 'update', stamp: String(id), wall: '2026-01-01T00:00:00Z', actor: 'ann' },
  application: null,
  values: {},
  ...said,
});
const lostIn = (...columns: readonly string[]): ConflictRecord['overwritten'][number] => ({
  ...{
    columns,
    part: null,
    policy: 'hlc',
    epoch: 1,
    winner: { origin: 'eu' as RegionId, id: 9 },
    lost: {},
    result: null,
    reason: '',
  },
});
const record = (versions: readonly ConflictVersion[], said: Partial<ConflictRecord>): ConflictRecord => ({
  ...{ id: 'c', table: 'public.items' as TableName, key: '["1"]' as RowKey, kind: 'update_origin_differs' },
  ...{ region: regionId('us'), status: 'open', loser: versions[0]!, versions, base: null, reason: '' },
  ...{ overwritten: [lostIn('x')], result: { id: '1', x: 'b', y: '0', n: '7' } },
  ...said,
});
const OWN = version('us', 7, { values: { x: 'a', y: '1', n: '2' } });
const OTHER = version('eu', 9, { values: { x: 'b' } });
const UNDO: Choice = { kind: 'undo' };
const N = ['n'];
const ROW = { id: '1', x: 'b', y: '0', n: '7' };

describe('what a choice does to a leaf of a map', () => {
  const doc = (text: string) => ({ id: '1', doc: text });
  const own = version('us', 7, { values: { doc: '{"a": {"b": 1}, "k": 1}' } });
  const other = version('eu', 9, { values: { doc: '{"a": {"b": 2}}' } });
  const leafLost = record([own, other], {
    overwritten: [{ ...lostIn('doc'), part: ['a', 'b'], lost: { doc: '1' } }],
    result: doc('{"a": {"b": 2}, "k": 1}'),
  });
  const written = (choice: Choice, present: string) => {
    const write = writeOf(remedyOf(leafLost, choice, []), doc(present), ['id']);
    return write.kind === 'update' ? write.values : write;
  };

  it('is to put that leaf back, and nothing else of the document as its writer saw it', () => {
    expect(written(UNDO, '{"a": {"b": 2, "c": 5}, "new": true}')).toEqual({
      doc: '{"a": {"b": 1, "c": 5}, "new": true}',
    });
    expect(written(UNDO, '{"a": "text"}')).toEqual({ doc: '{"a": {"b": 1}}' });
    expect(
      written({ kind: 'version', version: { kind: 'origin', origin: 'eu' }, columns: null }, '{"a": {"b": 2}}'),
    ).toEqual({ kind: 'none' });
  });

  it('is to write the whole document where it is named', () => {
    const choice: Choice = { kind: 'version', version: { kind: 'index', index: 0 }, columns: ['doc'] };
    expect(written(choice, '{}')).toEqual({ doc: '{"a": {"b": 1}, "k": 1}' });
  });
});

describe('what a choice does to the row', () => {
  it('is nothing when it is accepted', () => {
    expect(writeOf(remedyOf(record([OWN, OTHER], {}), { kind: 'accept' }, N), ROW, ['id'])).toEqual({ kind: 'none' });
  });

  it('is to write what was overwritten: neither what was not, nor an increment, which counted', () => {
    const conflict = record([OWN, OTHER], { overwritten: [lostIn('x', 'n')] });
    expect(writeOf(remedyOf(conflict, UNDO, N), ROW, ['id'])).toEqual({
      kind: 'update',
      values: { x: 'a' },
      written: { before: { x: 'b' }, after: { x: 'a' } },
    });
  });

  it('is all of a version where the row itself was contended, with the whole row for one that is gone', () => {
    const deleted = version('eu', 9, { op: 'delete' });
    const conflict = record([OWN, deleted], {
      ...{ overwritten: [lostIn()], result: null },
      base: { id: '1', x: '0', y: '0', z: 'z', n: '5' },
    });
    expect(writeOf(remedyOf(conflict, UNDO, N), null, ['id'])).toMatchObject({
      kind: 'insert',
      values: { id: '1', x: 'a', y: '1', z: 'z', n: '7' },
      written: { before: null },
    });
    expect(writeOf(remedyOf(conflict, UNDO, N), ROW, ['id'])).toMatchObject({
      kind: 'update',
      values: { x: 'a', y: '1' },
    });
    const accept: Choice = { kind: 'version', version: { kind: 'index', index: 1 }, columns: null };
    expect(writeOf(remedyOf(conflict, accept, N), ROW, ['id'])).toEqual({
      kind: 'delete',
      written: { before: ROW, after: null },
    });
    expect(writeOf(remedyOf(conflict, accept, N), null, ['id'])).toEqual({ kind: 'none' });
  });

  it('counts what an insert starts with as it is', () => {
    const inserted = version('us', 7, { op: 'insert', values: { id: '1', x: 'a', n: '2' } });
    const conflict = record([inserted, version('eu', 9, { op: 'delete' })], {
      ...{ overwritten: [lostIn()], result: null, base: { id: '1', n: '5' } },
    });
    expect(remedyOf(conflict, UNDO, N)).toMatchObject({ whole: { n: '2' } });
  });

  it('is the whole row where it was parked', () => {
    const conflict = record([version('us', 7, { values: { x: 'a' } })], {
      overwritten: [],
      result: { ...ROW, x: 'a' },
    });
    expect(writeOf(remedyOf(conflict, UNDO, N), null, ['id'])).toMatchObject({ values: { ...ROW, x: 'a' } });
    const value: Choice = { kind: 'value', values: { x: 'c' } };
    expect(writeOf(remedyOf(conflict, value, N), null, ['id'])).toMatchObject({ values: { ...ROW, x: 'c' } });
  });

  it("takes a region's last version, though a record shows several", () => {
    const conflict = record([OWN, version('eu', 8, { stamp: '99', values: { x: 'last' } }), OTHER], {});
    const last: Choice = { kind: 'version', version: { kind: 'origin', origin: 'eu' }, columns: null };
    expect(remedyOf(conflict, last, N)).toMatchObject({ values: { x: 'last' } });
  });

  it('is nothing where the row is so already', () => {
    expect(writeOf(remedyOf(record([OWN, OTHER], {}), UNDO, N), { ...ROW, x: 'a' }, ['id'])).toEqual({ kind: 'none' });
  });

  it('says what cannot be', () => {
    const conflict = record([OWN, version('eu', 9, { values: { z: 'b' } })], {});
    const choose = (index: number, columns: readonly string[] | null = null) =>
      remedyOf(conflict, { kind: 'version', version: { kind: 'index', index }, columns }, N);
    expect(() => choose(2)).toThrow(/it has 0 \(origin us, id 7\), 1 \(origin eu, id 9\)/);
    expect(() => choose(1)).toThrow(/wrote none of the contested columns/);
    expect(() => choose(0, ['n'])).toThrow(/no value for n: it has x, y/);
    expect(() => writeOf(choose(0), null, ['id'])).toThrow(/deleted since/);
    const deleted = record([version('us', 7, { op: 'delete' }), OTHER], {});
    expect(() =>
      remedyOf(deleted, { kind: 'version', version: { kind: 'index', index: 0 }, columns: ['x'] }, N),
    ).toThrow(/a delete, which has no columns/);
  });

  it('is taken back to what the row held, counters by the difference', () => {
    expect(reversalOf({ before: null, after: ROW }, ROW, N)).toEqual({ kind: 'delete' });
    expect(writeOf(reversalOf({ before: ROW, after: null }, null, N), null, ['id'])).toMatchObject({ values: ROW });
    const written = { before: { x: 'b', n: '7' }, after: { x: 'a', n: '10' } };
    expect(reversalOf(written, { ...ROW, n: '12' }, N)).toMatchObject({ values: { x: 'b', n: '9' } });
  });
});
