import { entry, type Said } from '../change/change.builder.js';
import type { Values } from '../change/change.js';
import type { Register } from '../policy/table-policy.js';
import type { RowStanding, RowVersion } from '../ports/row-log.js';
import type { ConflictKind } from './record.js';
import { decidingVersions, explainRow } from './explain-row.js';
import { itemsRow, itemsSpec, standing, traced } from './row.builder.js';

/** Of different regions, in tick 1, knowing nothing of each other. */
const write = (origin: string, id: number, said: Said = {}): RowVersion =>
  traced(entry(origin, id, { seq: 1, deps: {}, ...said }));
const x = (origin: string, id: number, value: string, said: Said = {}) =>
  write(origin, id, { patch: { x: value }, before: { x: '0' }, ...said });
const column = (of: RowStanding, name: string) => explainRow(of).columns.find((c) => c.column === name)!;

describe('why a column is as it is', () => {
  it('names the change that the value comes from, what it beat, and why', () => {
    const told = column(standing({ ...itemsRow, x: 'b' }, [x('us', 1, 'a'), x('eu', 2, 'b')]), 'x');
    expect(told).toMatchObject({
      value: 'b',
      change: { origin: 'eu', id: 2, stamp: '2', wall: '1970-01-01T00:00:00.000Z', actor: 'somebody in eu' },
      beat: [{ origin: 'us', id: 1, values: { x: 'a' } }],
      reason: "eu's write won: its stamp is later within the same millisecond; us had not yet seen it",
    });
    expect(told.beat[0]!.reason).toBe(told.reason);
  });

  it('a write that had seen the others beat nothing', () => {
    const versions = [x('us', 1, 'a'), x('eu', 2, 'b'), x('ap', 3, 'c', { deps: { us: 1, eu: 1 } })];
    const told = column(standing({ ...itemsRow, x: 'c' }, versions), 'x');
    expect(told).toMatchObject({ change: { origin: 'ap' }, beat: [] });
    expect(told.reason).toBe('ap wrote it last: it had seen every other write of it that the log has');
  });

  it('one that wrote the same lost nothing, and is told of', () => {
    const told = column(standing({ ...itemsRow, x: 'a' }, [x('us', 1, 'a'), x('eu', 2, 'a')]), 'x');
    expect(told).toMatchObject({ change: { origin: 'eu' }, beat: [{ origin: 'us' }], reason: 'us wrote the same' });
  });

  it('of a change folded in its tick the column keeps the stamp of its own write', () => {
    const folded = x('eu', 9, 'b', { ranks: { x: { stamp: 5n, wall: 5_000n, id: 5 } } as never });
    const told = column(standing({ ...itemsRow, x: 'b' }, [x('us', 3, 'a'), folded]), 'x');
    expect(told.change).toMatchObject({ origin: 'eu', id: 5, stamp: '5' });
  });

  it('columns of a group have one explanation', () => {
    const money = (origin: string, id: number, amount: string, currency: string) =>
      write(origin, id, { patch: { amount, currency } });
    const row = { ...itemsRow, amount: '2', currency: 'USD' };
    const of = standing(row, [money('us', 1, '1', 'EUR'), money('eu', 2, '2', 'USD')]);
    expect(column(of, 'currency')).toMatchObject({
      group: ['amount', 'currency'],
      value: 'USD',
      change: { origin: 'eu' },
      beat: [{ values: { amount: '1', currency: 'EUR' } }],
    });
    expect(column(of, 'amount').change).toEqual(column(of, 'currency').change);
  });

  it('what nothing in the log wrote is older, and says how far the log reaches', () => {
    const of = standing(itemsRow, [x('us', 1, 'a')]);
    expect(column(of, 'amount')).toMatchObject({
      change: null,
      reason: 'older than the log, which reaches back to 2026-11-22T00:00:00.000Z',
    });
    const whole = { ...of, reach: { ...of.reach, dropped: false } };
    expect(column(whole, 'amount').reason).toBe('older than the log: nothing wrote it since the table was enrolled');
    expect(column({ ...of, all: false }, 'amount').reason).toContain("none of the row's newest 1 changes");
  });

  it('a value that the log cannot have decided won by what is forgotten, and its open record is linked', () => {
    const conflict = {
      ...{ id: 'c1', kind: 'update_origin_differs' as ConflictKind, region: 'us', reason: 'ap won' },
      loser: { origin: 'us', id: 1 },
      overwritten: [['x']],
      reasons: [{ columns: ['x'], reason: 'ap won' }],
    } as never;
    const told = column(standing({ ...itemsRow, x: 'z' }, [x('us', 1, 'a')], { conflicts: [conflict] }), 'x');
    expect(told).toMatchObject({
      change: null,
      beat: [{ origin: 'us', values: { x: 'a' }, reason: 'what it lost to is older than the log' }],
      reason: 'older than the log: what us wrote later lost to it',
      conflicts: ['c1'],
    });
    expect(column(standing(itemsRow, [], { conflicts: [conflict] }), 'amount').conflicts).toEqual([]);
  });

  it('where a tick is forgotten, nobody is said to have been beaten', () => {
    const old = traced(entry('us', 1, { seq: 1, deps: {}, patch: { x: 'a' } }), { traced: false });
    const told = column(standing({ ...itemsRow, x: 'b' }, [old, x('eu', 2, 'b')]), 'x');
    expect(told).toMatchObject({ change: { origin: 'eu' }, beat: [] });
    expect(told.reason).toBe('eu wrote it last; whether it had seen another write is forgotten');
  });

  it('but a record tells of it', () => {
    const old = traced(entry('us', 1, { seq: 1, deps: {}, patch: { x: 'a' } }), { traced: false });
    const conflicts = [{ id: 'c1', loser: { origin: 'us', id: 1 }, overwritten: [['x']], reasons: [] }] as never;
    const told = column(standing({ ...itemsRow, x: 'b' }, [old, x('eu', 2, 'b')], { conflicts }), 'x');
    expect(told).toMatchObject({ beat: [{ origin: 'us', values: { x: 'a' } }], conflicts: ['c1'] });
    expect(told.reason).toContain("eu's write won");
  });

  it('a change that waits for its table decides nothing yet', () => {
    const waiting = { ...x('eu', 2, 'b'), waiting: true };
    const of = standing({ ...itemsRow, x: 'a' }, [x('us', 1, 'a'), waiting]);
    expect(column(of, 'x')).toMatchObject({ change: { origin: 'us' }, beat: [] });
    expect(explainRow(of).waiting).toBe(1);
  });
});

describe('a counter', () => {
  const add = (origin: string, id: number, n: string, said: Said = {}) => write(origin, id, { patch: { n }, ...said });

  it('is the sum of its increments by region, and the rest', () => {
    const versions = [add('us', 1, '3'), add('eu', 2, '-1'), add('us', 3, '4')];
    expect(column(standing({ ...itemsRow, n: '16' }, versions), 'n')).toMatchObject({
      value: '16',
      change: { origin: 'us', id: 3 },
      sums: {
        increments: [
          { origin: 'us', sum: '7', changes: 2 },
          { origin: 'eu', sum: '-1', changes: 1 },
        ],
        rest: '10',
      },
      reason:
        'us added 7 in 2 changes, eu added -1 in 1 change, 10 is older than the log, which reaches back to 2026-11-22T00:00:00.000Z: differences add up, and none is lost',
    });
  });

  it('starts anew with an insert: what that had seen counts no more', () => {
    const insert = write('eu', 4, { op: 'insert', patch: { ...itemsRow, n: '5' }, seq: 2, deps: { us: 1 } });
    const versions = [add('us', 1, '3'), add('ap', 2, '2'), insert];
    expect(column(standing({ ...itemsRow, n: '7' }, versions), 'n').sums).toEqual({
      increments: [{ origin: 'ap', sum: '2', changes: 1 }],
      rest: '5',
    });
  });
});

describe('a merged column', () => {
  const of = (policy: Register['policy'], values: Values, versions: readonly RowVersion[], more = {}) =>
    column(
      standing({ ...itemsRow, ...values }, versions, {
        spec: { ...itemsSpec(), registers: [{ columns: ['x'], policy }] },
        ...more,
      }),
      'x',
    );
  const from = (origin: string, id: number, before: string, after: string) =>
    write(origin, id, { patch: { x: after }, before: { x: before } });

  it('that is a map tells of the leaves that were beaten, and why', () => {
    const versions = [from('us', 1, '{"a": 0}', '{"a": 1, "b": 1}'), from('eu', 2, '{"a": 0}', '{"a": 2}')];
    const told = of({ kind: 'map' }, { x: '{"a": 2, "b": 1}' }, versions);
    expect(told.beat).toMatchObject([
      { origin: 'us', values: { x: '1' }, reason: expect.stringMatching(/^x\.a: eu's write won/) as string },
    ]);
    expect(told.reason).toMatch(/^made of what us and eu wrote, .* \(map\)\. x\.a: eu's write won: .*$/);
  });

  it('that is a set tells who added and took away what', () => {
    const versions = [from('us', 1, '{a}', '{a,b}'), from('eu', 2, '{a}', '{c}')];
    expect(of({ kind: 'set' }, { x: '{b,c}' }, versions).reason).toBe(
      'made of what us and eu wrote, which had not seen each other (set). us added b. eu added c and took away a',
    );
  });

  it('whose function gave nothing was decided by the fallback, as its record tells', () => {
    const merge = { name: 'joined', language: 'javascript', source: '' } as const;
    const policy = { kind: 'merge', function: merge, fallback: { kind: 'hlc' } } as const;
    const versions = [from('us', 1, 'o', 'a'), from('eu', 2, 'o', 'b')];
    expect(of(policy, { x: 'joined' }, versions)).toMatchObject({ beat: [], change: { origin: 'eu' } });
    const reason = "the function joined gave nothing (threw), and by hlc eu's write won";
    const conflicts = [
      { id: 'c1', loser: { origin: 'us', id: 1 }, overwritten: [['x']], reasons: [{ columns: ['x'], reason }] },
    ] as never;
    expect(of(policy, { x: 'b' }, versions, { conflicts })).toMatchObject({
      ...{ change: { origin: 'eu' }, reason, conflicts: ['c1'] },
      beat: [{ origin: 'us', values: { x: 'a' }, reason }],
    });
  });
});

describe("a row's existence", () => {
  const removal = (origin: string, id: number, said: Said = {}) =>
    write(origin, id, { op: 'delete', before: itemsRow, ...said });

  it('comes from its insert', () => {
    const insert = write('us', 1, { op: 'insert', patch: itemsRow });
    const later = x('eu', 2, 'b', { deps: { us: 1 } });
    expect(explainRow(standing({ ...itemsRow, x: 'b' }, [insert, later]))).toMatchObject({
      exists: true,
      existence: { change: { origin: 'us', id: 1 }, beat: [], reason: 'us inserted it' },
    });
  });

  it('is older than the log when the insert is', () => {
    expect(explainRow(standing({ ...itemsRow, x: 'b' }, [x('eu', 2, 'b')])).existence).toMatchObject({
      change: null,
      reason: 'older than the log, which reaches back to 2026-11-22T00:00:00.000Z',
    });
  });

  it('is kept by an update against a delete beside it', () => {
    const of = standing({ ...itemsRow, x: 'b' }, [x('eu', 1, 'b'), removal('us', 2)]);
    expect(explainRow(of).existence).toMatchObject({
      change: { origin: 'eu' },
      beat: [{ origin: 'us', op: 'delete' }],
      reason: "eu's write kept the row: the policy of this table is update-wins; us had not yet seen it",
    });
  });

  it('ends with a delete, and then there are no columns', () => {
    const deleted = removal('us', 2, { deps: { eu: 1 } });
    expect(explainRow(standing(null, [x('eu', 1, 'b'), deleted]))).toMatchObject({
      exists: false,
      columns: [],
      existence: { change: { origin: 'us', id: 2 }, beat: [], reason: 'us deleted it' },
    });
    const against = standing(null, [x('eu', 1, 'b'), removal('us', 2)], {
      spec: itemsSpec({ kind: 'hlc' }, 'delete-wins'),
    });
    expect(explainRow(against).existence).toMatchObject({ change: { origin: 'us' }, beat: [{ origin: 'eu' }] });
  });

  it('of a parked row is told with why it does not show', () => {
    const parked = { kind: 'unique_key', constraint: 'k', other: { table: 't', key: '["2"]' } } as never;
    const of = standing(itemsRow, [write('us', 1, { op: 'insert', patch: itemsRow })], { parked });
    const told = explainRow({ ...of, row: { ...of.row!, place: 'parked' } });
    expect(told).toMatchObject({ exists: false, place: 'parked', parked, existence: { change: { origin: 'us' } } });
    expect(told.columns).toHaveLength(5);
  });
});

it('values are needed only of the changes among which something is decided', () => {
  const versions = [
    write('us', 1, { op: 'insert', patch: itemsRow }),
    x('us', 2, 'a', { seq: 2 }),
    x('us', 3, 'b', { seq: 2 }),
    x('eu', 4, 'c', { deps: { us: 1 } }),
    write('us', 5, { patch: { n: '1' }, seq: 3 }),
  ];
  // The insert, for nothing else wrote the group; of x the last of each region; of existence the last of each.
  expect(decidingVersions(itemsSpec(), versions).map((v) => v.entry.id)).toEqual([1, 3, 4, 5]);
});
