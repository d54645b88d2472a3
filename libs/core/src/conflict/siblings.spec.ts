import { type Said, entry } from '../change/change.builder.js';
import { type RowKey, type Seq, type TableName, regionId } from '../ids.js';
import type { ConflictRecord } from './record.js';
import { recordVerdicts } from './recording.js';
import { resolve } from './resolve.js';
import { itemsRow, itemsSpec } from './row.builder.js';
import { endSiblings, siblingsIn } from './siblings.js';

const EU = regionId('eu');
const REF = { table: 'public.items' as TableName, key: '["1"]' as RowKey };
const FORGOTTEN = 0 as Seq;
const x = (origin: string, id: number, said: Said = {}) =>
  entry(origin, id, { seq: 1, deps: {}, patch: { x: origin }, before: { x: '0' }, ...said });

const [lost, won] = [x('eu', 1), x('us', 2)];
const resolution = resolve(itemsSpec({ kind: 'register' }), won, [lost], itemsRow);
const [record] = recordVerdicts((text) => text.padEnd(32), EU, [{ ref: REF, resolution }], new Map()) as [
  ConflictRecord,
];
const end = (...entries: readonly ReturnType<typeof x>[]) =>
  endSiblings(record, [lost, won, ...entries], [], FORGOTTEN);

describe('a sibling', () => {
  it('stands beside the value that shows', () => {
    expect(siblingsIn(record)).toMatchObject([{ columns: ['x'], lost: { x: 'eu' }, result: { x: 'us' } }]);
    expect(end()).toBeNull();
  });

  it.each([
    ['a write that had seen it', x('us', 5, { seq: 2, deps: { eu: 1 } })],
    ['a later write of its own region', x('eu', 5, { seq: null, deps: null })],
    ['a delete that had seen it', x('ap', 5, { op: 'delete', seq: 2, deps: { eu: 1 } })],
  ])('ends with %s', (_what, over) => {
    expect(end(over)).toMatchObject({
      status: 'resolved',
      overwritten: [{ writtenOver: { origin: over.origin, id: 5 } }],
      reason: expect.stringMatching(
        new RegExp(`^x: (written over|deleted with the row) by ${over.origin}'s change 5`),
      ) as string,
    });
  });

  it.each([
    ['one that had not', x('us', 5, { seq: 2, deps: {} })],
    ['one that claims to, and had not', x('us', 5, { seq: 2, deps: { eu: 1 }, unseen: { eu: 1 } })],
    ['one of another column', x('us', 5, { seq: 2, deps: { eu: 1 }, patch: { amount: '1' } })],
  ])('stays with %s', (_what, beside) => expect(end(beside)).toBeNull());

  it('ends with a write under the name that its column has now', () => {
    const renamed = x('us', 5, { seq: 2, deps: { eu: 1 }, patch: { title: 'us' } });
    expect(endSiblings(record, [lost, won, renamed], [['x', 'title']], FORGOTTEN)?.status).toBe('resolved');
  });

  it('that the log has forgotten ends with what had seen the last tick that it may have been in', () => {
    const forgotten = 3 as Seq;
    const seen = (eu: number) => endSiblings(record, [won, x('us', 5, { seq: 2, deps: { eu } })], [], forgotten);
    expect(seen(2)).toBeNull();
    expect(seen(3)?.status).toBe('resolved');
  });

  it('that was written over leaves a record open that tells of more', () => {
    const also = {
      ...record,
      overwritten: [...record.overwritten, { ...record.overwritten[0]!, columns: ['y'], policy: 'hlc' }],
    };
    const ended = endSiblings(also, [lost, won, x('eu', 5)], [], FORGOTTEN)!;
    expect(ended.status).toBe('open');
    expect(siblingsIn(ended)).toEqual([]);
  });
});
