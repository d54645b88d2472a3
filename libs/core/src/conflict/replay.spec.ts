import { type Entry } from '../causality/coverage.js';
import { entry, type Said } from '../change/change.builder.js';
import type { Values } from '../change/change.js';
import type { RowKey, TableName } from '../ids.js';
import type { RegisterPolicy, TableSpec } from '../policy/table-policy.js';
import type { ConflictRecord } from './record.js';
import { microsOf } from './recorded-version.js';
import { recordVerdicts } from './recording.js';
import { replayConflict } from './replay.js';
import { resolve } from './resolve.js';
import { itemsRow, itemsSpec } from './row.builder.js';

const REF = { table: 'public.items' as TableName, key: '["1"]' as RowKey };
const HLC = itemsSpec();
const LWW: RegisterPolicy = { kind: 'lww', column: null };

const write = (origin: string, id: number, said: Said = {}): Entry => entry(origin, id, { seq: 1, deps: {}, ...said });
const x = (origin: string, id: number, value: string, said: Said = {}) =>
  write(origin, id, { patch: { x: value }, before: { x: '0' }, ...said });
const SECOND = 1_000_000;

/** As apply records it in the loser's region. */
function recorded(arriving: Entry, local: Entry, spec: TableSpec = HLC, row: Values = itemsRow): ConflictRecord {
  const resolution = resolve(spec, arriving, [local], row);
  const recording = { ref: REF, resolution };
  const [record] = recordVerdicts((text) => text.padEnd(32), local.origin, [recording], new Map());
  if (record === undefined) throw new Error('nothing was recorded');
  return JSON.parse(JSON.stringify(record)) as ConflictRecord;
}

describe('a recorded conflict under another policy', () => {
  // eu has the later stamp, us the later clock.
  const record = recorded(x('eu', 9, 'b', { stamp: 9, wall: SECOND }), x('us', 5, 'a', { stamp: 5, wall: 2 * SECOND }));

  it('ends differently when another version wins', () => {
    expect(replayConflict(record, HLC, itemsSpec(LWW))).toEqual({
      ...{ kind: 'different', columns: ['x'] },
      ...{ present: { x: 'b' }, other: { x: 'a' } },
    });
  });

  it('ends the same under the policy that decided it, and under one that agrees', () => {
    expect(replayConflict(record, HLC, HLC)).toEqual({ kind: 'same' });
    const agreeing = recorded(x('eu', 9, 'b', { wall: 2 * SECOND }), x('us', 5, 'a', { wall: SECOND }));
    expect(replayConflict(agreeing, HLC, itemsSpec(LWW))).toEqual({ kind: 'same' });
  });

  it('a delete policy decides the existence, and with it everything', () => {
    const restored = recorded(x('eu', 9, 'b'), write('us', 5, { op: 'delete', before: itemsRow }));
    expect(replayConflict(restored, HLC, itemsSpec({ kind: 'hlc' }, 'delete-wins'))).toMatchObject({
      ...{ kind: 'different', columns: [], present: { x: 'b' }, other: null },
    });
    expect(replayConflict(restored, HLC, itemsSpec({ kind: 'hlc' }, 'by-stamp'))).toEqual({ kind: 'same' });
    const DELETE = itemsSpec({ kind: 'hlc' }, 'delete-wins');
    const gone = recorded(write('eu', 9, { op: 'delete', before: itemsRow }), x('us', 5, 'a'), DELETE);
    expect(replayConflict(gone, DELETE, HLC)).toMatchObject({ kind: 'different', present: null, other: { x: 'a' } });
  });

  it('columns that become one group are taken from one version', () => {
    const both = recorded(
      write('eu', 9, { patch: { x: 'b', amount: '2', currency: 'USD' }, before: itemsRow, wall: 2 * SECOND }),
      x('us', 5, 'a', { before: itemsRow, wall: SECOND }),
    );
    const whole = { ...HLC, registers: [{ columns: ['x', 'amount', 'currency'], policy: LWW }] };
    expect(replayConflict(both, HLC, whole)).toMatchObject({ kind: 'same' });
    // us wins by its clock, and had the other columns as they were.
    const late = recorded(
      write('eu', 9, { patch: { x: 'b', amount: '2', currency: 'USD' }, before: itemsRow, wall: SECOND }),
      x('us', 5, 'a', { before: itemsRow, wall: 2 * SECOND }),
    );
    expect(replayConflict(late, HLC, whole)).toEqual({
      ...{ kind: 'different', columns: ['x', 'amount', 'currency'] },
      present: { x: 'b', amount: '2', currency: 'USD' },
      other: { x: 'a', amount: '0', currency: 'EUR' },
    });
  });

  it('a counter would have added up', () => {
    const counting = { ...HLC, registers: HLC.registers.slice(1), counters: ['n', 'x'] };
    const set = recorded(x('eu', 9, '7', { before: { x: '4' } }), x('us', 5, '2', { before: { x: '4' } }));
    expect(replayConflict(set, HLC, counting)).toMatchObject({
      columns: ['x'],
      present: { x: '7' },
      other: { x: '5' },
    });
  });

  it('columns that nobody wrote are as they are, and a counter that is one no more is what its writer made of it', () => {
    const sold = recorded(
      x('eu', 9, 'b', { wall: SECOND }),
      x('us', 5, 'a', { patch: { x: 'a', n: '-1' }, before: { x: '0', n: '4' }, wall: 2 * SECOND }),
      HLC,
      { ...itemsRow, n: '3' },
    );
    const whole = { ...HLC, registers: [{ columns: ['x', 'amount', 'currency', 'n'], policy: LWW }], counters: [] };
    expect(replayConflict(sold, HLC, whole)).toEqual({
      ...{ kind: 'different', columns: ['x'] },
      ...{ present: { x: 'b' }, other: { x: 'a' } },
    });
    const eu = { ...whole, registers: [{ ...whole.registers[0]!, policy: { kind: 'hlc' as const } }] };
    expect(replayConflict(sold, HLC, eu)).toEqual({
      ...{ kind: 'different', columns: ['n'] },
      ...{ present: { n: '3' }, other: { n: '4' } },
    });
    expect(replayConflict({ ...sold, base: { x: '0' } }, HLC, whole)).toMatchObject({ because: 'base_not_recorded' });
  });

  it('lww by a column goes by what the versions have in it', () => {
    const byTime = itemsSpec({ kind: 'lww', column: 'at' });
    const at = (time: string) => ({ at: `2026-11-22 ${time}+00` });
    const timed = recorded(
      x('eu', 9, 'b', { patch: { x: 'b', ...at('10:00:00') } }),
      x('us', 5, 'a', { patch: { x: 'a', ...at('11:00:00') } }),
    );
    expect(replayConflict(timed, HLC, byTime)).toMatchObject({ kind: 'different', other: { x: 'a' } });
    expect(replayConflict(record, HLC, byTime)).toEqual({ kind: 'not replayed', because: 'time_not_recorded' });
  });
});

describe('what a record does not tell is not guessed', () => {
  const because = (record: ConflictRecord, present: TableSpec, other: TableSpec) =>
    (replayConflict(record, present, other) as { because?: string }).because;

  it('a parked row lost to an earlier claim', () => {
    const record = recorded(x('eu', 9, 'b'), x('us', 5, 'a'));
    expect(because({ ...record, overwritten: [] }, HLC, HLC)).toBe('not_decided_by_policy');
  });

  it('a column that had a stamp of its own', () => {
    const folded = x('us', 9, 'a', { ranks: { x: { stamp: 1n, wall: 1n, id: 4 } } as never });
    expect(because(recorded(x('eu', 5, 'b'), folded), HLC, itemsSpec(LWW))).toBe('more_than_recorded');
  });

  it('a column that was renamed or dropped', () => {
    const without = { ...HLC, registers: HLC.registers.slice(1) };
    expect(because(recorded(x('eu', 9, 'b'), x('us', 5, 'a')), HLC, without)).toBe('columns_gone');
  });

  it('what the winner had in the other columns of a group', () => {
    const late = recorded(
      write('eu', 9, { patch: { x: 'b', amount: '2', currency: 'USD' }, before: { x: '0' }, wall: SECOND }),
      x('us', 5, 'a', { wall: 2 * SECOND }),
    );
    const whole = { ...HLC, registers: [{ columns: ['x', 'amount', 'currency'], policy: LWW }] };
    expect(because(late, HLC, whole)).toBe('columns_not_recorded');
  });

  it('clocks that differ by less than a millisecond', () => {
    const near = recorded(x('eu', 9, 'b', { wall: 1 }), x('us', 5, 'a', { wall: 2 }));
    expect(because(near, HLC, itemsSpec(LWW))).toBe('time_not_recorded');
  });

  it('a value that is no number', () => {
    const counting = { ...HLC, registers: HLC.registers.slice(1), counters: ['n', 'x'] };
    expect(because(recorded(x('eu', 9, 'b'), x('us', 5, 'a')), HLC, counting)).toBe('base_not_recorded');
  });
});

it.each([
  ['2026-11-22 10:00:00.5+00', 1_795_341_600_500_000n],
  ['2026-11-22 10:00:00+02', 1_795_334_400_000_000n],
  ['2026-11-22 10:00:00-03:30', 1_795_354_200_000_000n],
  ['2026-11-22', 1_795_305_600_000_000n],
  ['0001-01-01 00:00:00+00 BC', -62_167_219_200_000_000n],
  ['infinity', 9_223_372_036_854_775_807n],
  ['soon', null],
])('reads %s as PostgreSQL writes it', (text, micros) => {
  expect(microsOf(text)).toBe(micros);
});
