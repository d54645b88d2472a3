import fc from 'fast-check';
import { type Change, type Values, patchOf } from './change.js';
import { entry } from './change.builder.js';
import { addDecimals } from './decimal.js';
import { foldChanges } from './fold.js';
import { netEffect } from './net-effect.js';

const COUNTERS = new Set(['n']);
const MERGED = new Set<string>();
const COLUMNS = ['x', '__proto__', 'constructor'];

type Row = ReadonlyMap<string, string> | null;
type Move = { readonly remove: boolean; readonly values: readonly (readonly [string, string])[]; readonly n: number };

const move: fc.Arbitrary<Move> = fc.record({
  remove: fc.boolean(),
  values: fc.array(fc.tuple(fc.constantFrom(...COLUMNS), fc.stringMatching(/^[a-c]$/)), { maxLength: 3 }),
  n: fc.integer({ min: -3, max: 3 }),
});

/** What a writer does to a row that is, or is not, there: the changes that capture would log. */
function history(there: boolean, moves: readonly Move[]): Change[] {
  let exists = there;
  return moves.map(({ remove, values, n }, i) => {
    if (!exists) {
      exists = true;
      const all = Object.fromEntries([...COLUMNS.map((c) => [c, '-']), ...values, ['n', String(n)]]) as Values;
      return entry('eu', i + 1, { op: 'insert', patch: all });
    }
    exists = !remove;
    if (remove) return entry('eu', i + 1, { op: 'delete' });
    const changed = Object.fromEntries([...values, ...(n === 0 ? [] : [['n', String(n)]])]) as Values;
    return entry('eu', i + 1, { patch: changed });
  });
}

/** The slow twin: one change after another, as a database would. */
function applied(row: Row, change: Change): Row {
  if (change.op === 'delete') return null;
  const next = new Map(change.op === 'insert' ? [] : (row ?? new Map<string, string>()));
  for (const [column, value] of Object.entries(patchOf(change)))
    next.set(
      column,
      COUNTERS.has(column) && change.op === 'update' ? addDecimals(next.get(column) ?? '0', value!) : value!,
    );
  return next;
}

const START: Row = new Map([...COLUMNS.map((c): [string, string] => [c, '-']), ['n', '100']]);

function throughNetEffect(row: Row, changes: readonly Change[]): Row {
  const effect = netEffect(changes, COUNTERS);
  switch (effect.kind) {
    case 'nothing':
      return row;
    case 'delete':
      expect(row).not.toBeNull();
      return null;
    case 'insert':
      expect(row).toBeNull();
      return new Map(Object.entries(effect.values) as [string, string][]);
    case 'replace':
      expect(row).not.toBeNull();
      return new Map(Object.entries(effect.values) as [string, string][]);
    case 'update':
      return applied(row, entry('eu', 1, { patch: effect.values }));
  }
}

const script = fc.tuple(fc.boolean(), fc.array(move, { maxLength: 12 }));
const sorted = (row: Row) => (row === null ? null : [...row].sort());

describe('laws of a row in one batch', () => {
  it('the net effect does what the changes do one by one, and is never an insert over a row or a delete of none', () => {
    fc.assert(
      fc.property(script, ([there, moves]) => {
        const row = there ? START : null;
        const changes = history(there, moves);
        expect(sorted(throughNetEffect(row, changes))).toEqual(sorted(changes.reduce(applied, row)));
      }),
    );
  });

  it('folded changes, applied one by one, do what the changes do one by one', () => {
    fc.assert(
      fc.property(script, ([there, moves]) => {
        const row = there ? START : null;
        const changes = history(there, moves);
        const folded = foldChanges(changes, () => ({ counters: COUNTERS, merged: MERGED }));
        expect(folded.length).toBeLessThanOrEqual(changes.length);
        expect(sorted(folded.reduce(applied, row))).toEqual(sorted(changes.reduce(applied, row)));
      }),
    );
  });

  it('folding keeps, for every column of every folded change, the rank of the last write of that column', () => {
    fc.assert(
      fc.property(script, ([there, moves]) => {
        const changes = history(there, moves);
        let from = 0;
        for (const folded of foldChanges(changes, () => ({ counters: COUNTERS, merged: MERGED }))) {
          const run = changes.slice(from, changes.findIndex((c) => c.id === folded.id) + 1);
          from += run.length;
          for (const column of Object.keys(patchOf(folded))) {
            const last = run.filter((c) => Object.hasOwn(patchOf(c), column)).at(-1)!;
            const ranks = folded.ranks ?? {};
            const rank = Object.hasOwn(ranks, column) ? ranks[column]! : folded;
            expect([rank.id, rank.stamp, rank.wall]).toEqual([last.id, last.stamp, last.wall]);
          }
        }
        expect(from).toBe(changes.length);
      }),
    );
  });

  it('a covered update after a delete is a broken log, and says so', () => {
    expect(() =>
      netEffect([entry('eu', 1, { op: 'delete' }), entry('eu', 2, { patch: { x: '1' } })], COUNTERS),
    ).toThrow(/log order is broken/);
  });
});
