import fc from 'fast-check';
import { type Entry } from '../causality/coverage.js';
import { entry } from '../change/change.builder.js';
import type { Values } from '../change/change.js';
import type { RegionId, RowKey, TableName } from '../ids.js';
import type { DeletePolicy, RegisterPolicy, TableSpec } from '../policy/table-policy.js';
import { recordVerdicts } from './recording.js';
import { replayConflict } from './replay.js';
import { resolve } from './resolve.js';
import { itemsRow, itemsSpec } from './row.builder.js';

const US = 'us' as RegionId;
const REF = { table: 'public.items' as TableName, key: '["1"]' as RowKey };

const spec: fc.Arbitrary<TableSpec> = fc
  .record({
    register: fc.constantFrom<RegisterPolicy>({ kind: 'hlc' }, { kind: 'lww', column: null }),
    delete: fc.constantFrom<DeletePolicy>('update-wins', 'delete-wins', 'by-stamp'),
    row: fc.boolean(),
  })
  .map((p) => {
    const of = itemsSpec(p.register, p.delete);
    return p.row ? { ...of, registers: [{ columns: ['x', 'amount', 'currency'], policy: p.register }] } : of;
  });

interface Write {
  readonly remove: boolean;
  readonly values: Values;
  readonly stamp: number;
  readonly wall: number;
}

const value = fc.constantFrom('a', 'b', 'c');
const write = fc.record({
  remove: fc.constantFrom(true, false, false, false),
  values: fc.oneof(
    fc.record({ x: value }),
    fc.record({ amount: value, currency: value }),
    fc.record({ x: value, amount: value, currency: value }),
  ),
  stamp: fc.integer({ min: 1, max: 9 }),
  wall: fc.integer({ min: 1, max: 9 }),
});

/** Of a row that all regions had; what it writes over is told whole, so that a record tells of every column. */
function change(of: TableSpec, origin: string, { remove, values, stamp, wall }: Write): Entry {
  const written = of.registers.map((r) => r.columns).filter((columns) => columns.some((c) => Object.hasOwn(values, c)));
  const patch = Object.fromEntries(written.flat().map((c) => [c, values[c] ?? itemsRow[c]!]));
  return entry(origin, 7, {
    ...{ seq: 1, deps: {}, stamp, wall: wall * 1_000_000, before: itemsRow },
    ...(remove ? { op: 'delete' as const } : { patch }),
  });
}

it('a replay says what deciding the same versions under the other policy does say', () => {
  const property = fc.property(spec, spec, write, write, (present, other, a, b) => {
    // Clocks in one millisecond are told to be more than a record tells.
    fc.pre(a.wall !== b.wall);
    const here = a.remove ? itemsRow : { ...itemsRow, ...a.values };
    const under = (of: TableSpec) => resolve(of, change(of, 'eu', b), [change(of, 'us', a)], here);
    const recording = { ref: REF, resolution: under(present) };
    const [record] = recordVerdicts((text) => text, US, [recording], new Map());
    fc.pre(record !== undefined);
    const replayed = replayConflict(record, present, other);
    const told = under(other);
    expect(replayed.kind).not.toBe('not replayed');
    if (replayed.kind === 'not replayed') return;
    if (replayed.kind === 'same') {
      expect(told.exists).toBe(recording.resolution.exists);
      const columns = told.exists ? record.overwritten.flatMap((o) => o.columns) : [];
      for (const c of columns) expect(told.values[c]).toBe(recording.resolution.values[c]);
      return;
    }
    expect(told.exists).toBe(replayed.other !== null);
    for (const [c, v] of Object.entries(replayed.other ?? {})) expect(told.values[c]).toBe(v);
  });
  fc.assert(property, { numRuns: Number(process.env.MERIDIAN_PROPERTY_RUNS ?? 1_000) });
});
