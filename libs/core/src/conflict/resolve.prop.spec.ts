import fc from 'fast-check';
import { type Entry, covers } from '../causality/coverage.js';
import { isReady } from '../causality/hold-back.js';
import { entry } from '../change/change.builder.js';
import { type ChangeOp, type Values, patchOf } from '../change/change.js';
import { addDecimals } from '../change/decimal.js';
import { foldChanges } from '../change/fold.js';
import { mergePatch } from '../change/net-effect.js';
import { type RegionId, type TableName, seq } from '../ids.js';
import type { DeletePolicy, Register, RegisterPolicy, TableSpec } from '../policy/table-policy.js';
import type { Tick } from '../tick/tick.js';
import { type Vector, at, withSeq } from '../vector.js';
import { resolve } from './resolve.js';

/*
 * One row in three regions that write, cut ticks and apply each other's in any causally legal order. Beside every region runs a
 * twin that knows nothing of deps, ticks, folding or arrival: it has the set of writes, and for each the set of writes its
 * writer had in the database, and decides the row from these sets alone. The two must agree after every single step.
 */

const REGIONS = ['us', 'eu', 'constructor'] as RegionId[];
const REGISTERS = [['x'], ['__proto__'], ['g', 'h'], ['top'], ['low'], ['on']] as const;
const BY_VALUE: readonly Register[] = [
  { columns: ['top'], policy: { kind: 'max', order: 'number' } },
  { columns: ['low'], policy: { kind: 'min', order: 'number' } },
  { columns: ['on'], policy: { kind: 'flag', wins: 'enable' } },
];
const COLUMNS = REGISTERS.flat();
const COUNTERS = new Set(['n']);
const MERGED = new Set<string>();

interface Policies {
  readonly register: RegisterPolicy;
  readonly delete: DeletePolicy;
  /** Clocks that know nothing of each other, nor of their own past: convergence must not need them. */
  readonly wildClocks: boolean;
}

const specOf = (policies: Policies): TableSpec => ({
  name: 'public.items' as TableName,
  keyColumns: ['id'],
  registers: [...REGISTERS.slice(0, 3).map((columns) => ({ columns, policy: policies.register })), ...BY_VALUE],
  counters: [...COUNTERS],
  delete: policies.delete,
  uniqueKeys: [],
  foreignKeys: [],
  renamed: [],
  agreed: ['id', ...REGISTERS.flat(), ...COUNTERS],
  epoch: 1,
});

/** A write as the twin knows it. */
interface Truth {
  readonly write: Entry;
  readonly saw: ReadonlySet<Truth>;
}

interface Row {
  readonly exists: boolean;
  readonly values: Values;
}

interface Region {
  readonly name: RegionId;
  log: Entry[];
  /** The writes whose effect is in this database. */
  knows: Set<Truth>;
  applied: Vector;
  row: Row;
}

type Write = {
  readonly remove: boolean;
  readonly registers: readonly (readonly [number, string])[];
  readonly n: number;
};
type Step =
  | { readonly do: 'write'; readonly region: number; readonly write: Write; readonly clock: number }
  | { readonly do: 'cut'; readonly region: number }
  | { readonly do: 'deliver'; readonly to: number; readonly from: number };

class World {
  readonly regions: Region[] = REGIONS.map((name) => ({
    name,
    log: [],
    knows: new Set(),
    applied: {},
    row: { exists: false, values: {} },
  }));
  private readonly ticks: { readonly tick: Tick; readonly truths: readonly Truth[] }[] = [];
  private readonly truths = new Map<string, Truth>();
  private id = 0;
  private hlc = new Map<RegionId, number>();

  constructor(
    private readonly spec: TableSpec,
    private readonly wildClocks: boolean,
  ) {}

  step(step: Step): void {
    if (step.do === 'write') this.write(this.regions[step.region]!, step.write, step.clock);
    else if (step.do === 'cut') this.cut(this.regions[step.region]!);
    else this.deliver(this.regions[step.to]!, REGIONS[step.from]!);
    for (const region of this.regions) this.check(region);
  }

  /** Everybody cuts, and gets everything. */
  exchange(): void {
    for (const region of this.regions) this.cut(region);
    for (let moved = true; moved;) {
      moved = false;
      for (const to of this.regions) for (const from of REGIONS) moved = this.deliver(to, from) || moved;
    }
    for (const region of this.regions) this.check(region);
  }

  private write(region: Region, { remove, registers, n }: Write, clock: number): void {
    const { exists } = region.row;
    const op: ChangeOp = !exists ? 'insert' : remove ? 'delete' : 'update';
    const patch = new Map<string, string>(op === 'insert' ? COLUMNS.map((c) => [c, valueOf(c, '-')]) : []);
    for (const [register, value] of registers) for (const c of REGISTERS[register]!) patch.set(c, valueOf(c, value));
    if (op === 'insert' || n !== 0) patch.set('n', String(n));
    const id = ++this.id;
    const hlc = Math.max(clock, (this.hlc.get(region.name) ?? 0) + 1);
    if (!this.wildClocks) this.hlc.set(region.name, hlc);
    const write = entry(region.name, id, {
      op,
      // Some deletes are of rows that went on under another key.
      ...(op === 'delete' ? (n > 0 ? { patch: {} } : {}) : { patch: Object.fromEntries(patch) }),
      before: region.row.values,
      stamp: this.wildClocks ? clock : hlc,
      wall: (clock * 7) % 10,
    });
    const truth: Truth = { write, saw: new Set(region.knows) };
    this.truths.set(`${region.name}/${id}`, truth);
    region.log.push(write);
    region.knows.add(truth);
    region.row = follow(region.row, write);
  }

  private cut(region: Region): void {
    const number = at(region.applied, region.name) + 1;
    const mine = region.log.filter((e) => e.seq === null);
    const deps = region.applied;
    const ticked = mine.map((e) => ({ ...e, seq: seq(number), deps }));
    region.log = region.log.map((e) => ticked[mine.indexOf(e)] ?? e);
    region.applied = withSeq(region.applied, region.name, seq(number));
    const changes = foldChanges(ticked, () => ({ counters: COUNTERS, merged: MERGED }));
    const truths = mine.map((e) => this.truths.get(`${e.origin}/${e.id}`)!);
    this.ticks.push({ tick: { origin: region.name, seq: seq(number), deps, changes } as unknown as Tick, truths });
  }

  private deliver(region: Region, from: RegionId): boolean {
    const found = this.ticks.find(
      ({ tick }) => tick.origin === from && from !== region.name && isReady(tick, region.applied),
    );
    if (found === undefined) return false;
    const { tick } = found;
    for (const change of tick.changes) this.apply(region, { ...change, seq: tick.seq, deps: tick.deps });
    for (const truth of found.truths) region.knows.add(truth);
    region.applied = withSeq(region.applied, from, tick.seq);
    if (!this.wildClocks)
      this.hlc.set(
        region.name,
        tick.changes.reduce((top, c) => Math.max(top, Number(c.stamp)), this.hlc.get(region.name) ?? 0),
      );
    return true;
  }

  private apply(region: Region, change: Entry): void {
    const uncovered: Entry[] = [];
    region.log = region.log.map((e) => {
      if (covers(change, e)) return e;
      const known = e.deps === null ? raced(e, change) : e;
      uncovered.push(known);
      return known;
    });
    region.row = uncovered.length === 0 ? follow(region.row, change) : this.decide(region.row, change, uncovered);
    region.log.push(change);
  }

  private decide({ values: held }: Row, change: Entry, uncovered: readonly Entry[]): Row {
    const present = Object.keys(held).length === 0 ? null : held;
    const { exists, values } = resolve(this.spec, change, uncovered, present);
    return { exists, values };
  }

  private check(region: Region): void {
    const { exists, values } = region.row;
    const row = { exists, values: Object.entries(values).sort() };
    const expected = twin(this.spec, [...region.knows]);
    // Compared as text first: `toEqual` takes longer than all the rest of a run.
    if (JSON.stringify(row) !== JSON.stringify(expected)) expect(row).toEqual(expected);
  }
}

function valueOf(column: string, value: string): string {
  if (column === 'on') return value === 'a' ? 'true' : 'false';
  return column === 'top' || column === 'low' ? String(['-', 'a', 'b', 'c'].indexOf(value) - 1) : `${value}${column}`;
}

/** A change that covers all there is. A deleted row keeps its values: they are the image that a later winner restores. */
function follow(row: Row, change: Entry): Row {
  if (change.op === 'delete') return { ...row, exists: false };
  const insert = change.op === 'insert';
  return { exists: true, values: mergePatch(insert ? {} : row.values, patchOf(change), insert ? new Set() : COUNTERS) };
}

/** The race: a local change in no tick yet has not seen what arrives, though the deps of its tick will cover it. */
const raced = (local: Entry, change: Entry): Entry => ({
  ...local,
  unseen: {
    ...local.unseen,
    [change.origin]: Math.min(change.seq!, at(local.unseen ?? {}, change.origin) || Infinity),
  } as Vector,
});

/** The row as a function of the set of writes and of who had seen what. */
function twin(spec: TableSpec, truths: readonly Truth[]) {
  const top = (some: readonly Truth[]) => some.filter((t) => !some.some((other) => other.saw.has(t)));
  const best = (some: readonly Truth[], policy: RegisterPolicy, column: string) =>
    [...some].sort((a, b) => preferred(policy, column, a, b) || byStamp(a, b)).at(-1)!;
  const values = new Map<string, string | null>();
  for (const { columns, policy } of spec.registers) {
    const setters = top(truths.filter((t) => Object.hasOwn(patchOf(t.write), columns[0]!)));
    if (setters.length === 0) continue;
    const won = patchOf(best(setters, policy as RegisterPolicy, columns[0]!).write);
    for (const column of columns) values.set(column, won[column]!);
  }
  const inserts = truths.filter((t) => t.write.op === 'insert');
  const counted = truths.filter((t) => !inserts.some((i) => i.saw.has(t)));
  if (truths.length > 0)
    values.set(
      'n',
      counted.reduce((sum, t) => addDecimals(sum, patchOf(t.write)['n'] ?? '0'), '0'),
    );
  return { exists: existence(spec, top(truths), best), values: [...values].sort() };
}

function existence(
  spec: TableSpec,
  maximal: readonly Truth[],
  best: (some: readonly Truth[], policy: RegisterPolicy, column: string) => Truth,
): boolean {
  const [deletes, others] = [true, false].map((d) => maximal.filter((t) => (t.write.op === 'delete') === d));
  if (others!.length === 0 || deletes!.length === 0) return others!.length > 0;
  const touched = others!.some((t) => t.write.op === 'update' && t.write.patch === '{}');
  if (touched) return true;
  if (deletes!.some((t) => t.write.patch !== null)) return false;
  if (spec.delete === 'update-wins') return true;
  return spec.delete === 'by-stamp' && best(maximal, { kind: 'hlc' }, '').write.op !== 'delete';
}

/** What a policy goes by before the stamp; or instead of it, of which the lowest wins. */
function preferred(policy: RegisterPolicy, column: string, a: Truth, b: Truth): number {
  const value = ({ write }: Truth): string => patchOf(write)[column]!;
  const place = ({ write }: Truth): number => ['eu', 'us'].indexOf(write.origin);
  switch (policy.kind) {
    case 'hlc':
    case 'manual':
      return 0;
    case 'lww':
      return compare(a.write.wall, b.write.wall);
    case 'first-write':
      return compare(b.write.stamp, a.write.stamp);
    case 'region-priority':
      return compare(place(b) < 0 ? 9 : place(b), place(a) < 0 ? 9 : place(a));
    case 'max':
      return compare(Number(value(a)), Number(value(b)));
    case 'min':
      return compare(Number(value(b)), Number(value(a)));
    case 'flag':
      return Number(value(a) === 'true') - Number(value(b) === 'true');
  }
}

const compare = (a: bigint | number | string, b: bigint | number | string): number => (a < b ? -1 : a > b ? 1 : 0);
const byStamp = ({ write: a }: Truth, { write: b }: Truth): number =>
  compare(a.stamp, b.stamp) || compare(a.origin, b.origin) || compare(a.id, b.id);

const where = fc.nat({ max: REGIONS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      region: where,
      clock: fc.integer({ min: 1, max: 20 }),
      write: fc.record({
        remove: fc.constantFrom(false, false, true),
        registers: fc.array(fc.tuple(fc.nat({ max: REGISTERS.length - 1 }), fc.constantFrom('a', 'b', 'c')), {
          maxLength: 2,
        }),
        n: fc.constantFrom(0, 0, 1, -2),
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), region: where }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), to: where, from: where }) },
);
const policies: fc.Arbitrary<Policies> = fc.record({
  register: fc.constantFrom<RegisterPolicy>(
    { kind: 'hlc' },
    { kind: 'lww', column: null },
    { kind: 'first-write' },
    { kind: 'region-priority', regions: ['eu', 'us'] },
    { kind: 'manual' },
  ),
  delete: fc.constantFrom<DeletePolicy>('update-wins', 'delete-wins', 'by-stamp'),
  wildClocks: fc.boolean(),
});

describe('laws of resolve', () => {
  it('the row is a function of the versions alone: of no order of arrival, no folding, no clock (I2, I6, I7)', () => {
    fc.assert(
      fc.property(policies, fc.array(step, { maxLength: 40, size: 'max' }), (chosen, steps) => {
        const world = new World(specOf(chosen), chosen.wildClocks);
        for (const s of steps) world.step(s);
        world.exchange();
        const rows = world.regions.map((r) => ({ ...r.row, values: Object.entries(r.row.values).sort() }));
        expect(rows[1]).toEqual(rows[0]);
        expect(rows[2]).toEqual(rows[0]);
      }),
      { numRuns: Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? 300) },
    );
  });
});
