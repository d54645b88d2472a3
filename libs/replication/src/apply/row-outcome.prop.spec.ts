import fc from 'fast-check';
import {
  type ChangeOp,
  type DeletePolicy,
  type Entry,
  type JsonText,
  type RegionId,
  type Register,
  type RegisterPolicy,
  type RowState,
  type TableName,
  type TableSpec,
  type Tick,
  type Values,
  type Vector,
  at,
  foldChanges,
  foldingOf,
  mergePatch,
  parseValues,
  patchOf,
  readyBatch,
  valuesText,
  withSeq,
} from '@meridian/core';
import { arrange, tickBatch } from './batch.js';
import { ContendedRow, isPlain, plainOutcome } from './row-outcome.js';

/*
 * One row in three regions: the first applies tick by tick, the second as many at a time as are ready, the third two at a time.
 * Whether a change goes the fast way or the contended one, alone or in a batch, must not show in the row, nor in the image of a
 * deleted one.
 */

const REGIONS = ['us', 'eu', 'ap'] as RegionId[];
const BATCHES = [1, 100, 2];
const TABLE = 'public.items' as TableName;
const COUNTERS = new Set(['n']);
const COLUMNS = ['x', 'y'];
/** Beside them one column of every policy that goes by values, or merges them. */
const BY_VALUE: readonly Register[] = [
  { columns: ['top'], policy: { kind: 'max', order: 'number' } },
  { columns: ['on'], policy: { kind: 'flag', wins: 'disable' } },
  { columns: ['tags'], policy: { kind: 'set' } },
  { columns: ['seen'], policy: { kind: 'grow-set' } },
  { columns: ['doc'], policy: { kind: 'map' } },
  { columns: ['body'], policy: { kind: 'text', longest: null } },
];
const START = {
  x: '-',
  y: '-',
  top: '0',
  on: 'false',
  tags: '{a}',
  seen: '{a}',
  doc: '{"a": {"b": 1}, "k": 1}',
  body: 'the quick brown fox jumps',
  n: '0',
};

const specOf = (policy: RegisterPolicy, onDelete: DeletePolicy): TableSpec => ({
  name: TABLE,
  keyColumns: ['id'],
  registers: [...COLUMNS.map((c) => ({ columns: [c], policy })), ...BY_VALUE],
  counters: [...COUNTERS],
  delete: onDelete,
  uniqueKeys: [],
  foreignKeys: [],
  renamed: [],
  agreed: ['id', ...COLUMNS, ...BY_VALUE.flatMap((r) => r.columns), ...COUNTERS],
  epoch: 1,
});

type Step =
  | {
      readonly do: 'write';
      readonly region: number;
      readonly remove: boolean;
      readonly column: number;
      readonly value: number;
      readonly n: number;
      readonly clock: number;
    }
  | { readonly do: 'cut'; readonly region: number }
  | { readonly do: 'apply'; readonly region: number };

interface Region {
  readonly name: RegionId;
  readonly batch: number;
  log: Entry[];
  /** The newest image, as every delete in the log brings it. */
  image: JsonText | null;
  row: Values | null;
  applied: Vector;
}

class World {
  readonly regions: Region[] = REGIONS.map((name, i) => ({
    name,
    batch: BATCHES[i]!,
    log: [],
    image: null,
    row: null,
    applied: {},
  }));
  private readonly ticks: Tick[] = [];
  private readonly tables: ReadonlyMap<TableName, TableSpec>;
  private ids = 0;

  constructor(
    private readonly spec: TableSpec,
    /** Stamps that know nothing of what their writer has seen. */
    private readonly wildClocks: boolean,
  ) {
    this.tables = new Map([[TABLE, spec]]);
  }

  step(step: Step): void {
    const region = this.regions[step.region]!;
    if (step.do === 'write') this.write(region, step);
    else if (step.do === 'cut') this.cut(region);
    else this.apply(region);
  }

  write(region: Region, { remove, column, value, n, clock }: Extract<Step, { do: 'write' }>): void {
    const id = ++this.ids;
    const op: ChangeOp = region.row === null ? 'insert' : remove ? 'delete' : 'update';
    const patch: Record<string, string> = op === 'insert' ? { id: '1', ...START } : {};
    if (column < COLUMNS.length) patch[COLUMNS[column]!] = `${region.name}${id}`;
    else this.writeByValue(patch, region.row ?? START, column - COLUMNS.length, value);
    if (n !== 0) patch['n'] = String(n);
    const change = {
      origin: region.name,
      id,
      seq: null,
      deps: null,
      unseen: null,
      ranks: null,
      table: TABLE,
      key: '["1"]',
      op,
      stamp: this.wildClocks ? BigInt(clock) : region.log.reduce((top, e) => (e.stamp > top ? e.stamp : top), 0n) + 1n,
      wall: BigInt((clock * 7) % 10),
      epoch: 1,
      actor: '',
      patch: op === 'delete' ? null : valuesText(patch),
      before: op === 'insert' ? null : valuesText(region.row ?? {}),
    } as unknown as Entry;
    region.log.push(change);
    if (op === 'delete') region.image = change.before;
    region.row = op === 'delete' ? null : op === 'insert' ? patch : mergePatch(region.row!, patch, COUNTERS);
  }

  private writeByValue(patch: Record<string, string>, row: Values, column: number, value: number): void {
    const name = BY_VALUE[column]?.columns[0];
    if (name === 'top') patch[name] = String(value * 7 - 20);
    if (name === 'on') patch[name] = value % 2 === 0 ? 'true' : 'false';
    if (name === 'tags') patch[name] = toggled(row[name]!, 'abcd'[value % 4]!, false);
    if (name === 'seen') patch[name] = toggled(row[name]!, 'abcd'[value % 4]!, true);
    if (name === 'body') patch[name] = reworded(row[name]!, value, `w${this.ids}`);
    if (name === 'doc') patch[name] = edited(row[name]!, this.wildClocks ? value % 5 : value);
  }

  cut(region: Region): void {
    const seq = at(region.applied, region.name) + 1;
    const deps = region.applied;
    const mine = region.log.filter((e) => e.seq === null);
    region.log = region.log.map((e) => (e.seq === null ? ({ ...e, seq, deps } as Entry) : e));
    region.applied = withSeq(region.applied, region.name, seq as never);
    this.ticks.push({
      origin: region.name,
      seq,
      deps,
      changes: foldChanges(mine, () => foldingOf(this.spec)),
    } as unknown as Tick);
  }

  /** What the applier does with a row, between its locks and its commit. */
  apply(region: Region): boolean {
    const others = REGIONS.filter((o) => o !== region.name);
    const waiting = (o: RegionId, n: number) => this.ticks.find((t) => t.origin === o && t.seq === n);
    const batch = readyBatch(others, region.applied, waiting, { ticks: region.batch, changes: 1e9 });
    const { arriving, floor } = tickBatch(
      batch,
      new Map(),
      { tables: this.tables, ended: new Map(), waiting: new Set() },
      new Map(),
    );
    for (const work of arrange(arriving, this.tables)) {
      const entries = region.log
        .filter((e) => e.seq === null || e.seq > at(floor, e.origin))
        .map((e) => (e.op === 'delete' ? { ...e, before: region.image } : e));
      const state = region.row === null ? undefined : this.stateOf(region.row);
      const outcome = isPlain(work, entries)
        ? plainOutcome(work, state?.place ?? null)
        : new ContendedRow(work, this.entriesFor(region), state, this.imageOf(region)).outcome();
      const { effect } = outcome;
      if (effect?.kind === 'delete') region.row = null;
      if (effect?.kind === 'insert' || effect?.kind === 'replace') region.row = parseValues(effect.values);
      if (effect?.kind === 'update')
        region.row = mergePatch(
          region.row!,
          parseValues(effect.values),
          effect.counters === 'add' ? COUNTERS : new Set(),
        );
      const deleted = work.arriving.filter((c) => c.op === 'delete').at(-1);
      if (outcome.image !== null) region.image = valuesText(outcome.image);
      else if (deleted !== undefined) region.image = deleted.before;
      for (const { change, origin, seq } of outcome.races)
        region.log = region.log.map((e) =>
          e.origin === region.name && e.id === change ? { ...e, unseen: atMost(e.unseen ?? {}, origin, seq) } : e,
        );
      region.log.push(...work.arriving);
    }
    for (const { origin, seq } of batch) region.applied = withSeq(region.applied, origin, seq);
    return batch.length > 0;
  }

  exchange(): void {
    for (const region of this.regions) this.cut(region);
    for (let moved = true; moved;) {
      moved = false;
      for (const region of this.regions) moved = this.apply(region) || moved;
    }
  }

  /** Further back than the floor, where a text needs it. */
  private entriesFor({ log, image }: Region): Entry[] {
    return log.map((e) => (e.op === 'delete' ? { ...e, before: image } : e));
  }

  private imageOf({ log, image }: Region): Values | null {
    return image !== null && log.some((e) => e.op === 'delete') ? parseValues(image) : null;
  }

  private stateOf(values: Values): RowState {
    return { ref: { table: TABLE, key: '["1"]' as never }, place: 'table', values };
  }
}

/** An element put in, or taken out; `{b,a}` is another order of the same set. */
function toggled(text: string, element: string, onlyIn: boolean): string {
  const elements = text
    .slice(1, -1)
    .split(',')
    .filter((e) => e !== '');
  const without = elements.filter((e) => e !== element);
  return `{${(without.length < elements.length && !onlyIn ? without : [element, ...without]).join(',')}}`;
}

/** A word put in, another in its place, or one taken out. */
const reworded = (text: string, value: number, word: string): string =>
  text
    .split(' ')
    .toSpliced(value, value % 2, ...(value % 3 === 2 ? [] : [word]))
    .join(' ');

/** The first five touch leaves of their own; the others put an object where a leaf was, and the reverse. */
function edited(text: string, value: number): string {
  const doc = JSON.parse(text) as Record<string, unknown>;
  const below = typeof doc['a'] === 'object' ? (doc['a'] as Record<string, unknown>) : {};
  const edits: readonly (() => void)[] = [
    () => (doc['k'] = value + Object.keys(doc).length),
    () => (doc['l'] = [1, { x: 2 }]),
    () => delete doc['k'],
    () => delete doc['l'],
    () => (doc['m'] = { deep: { er: text.length } }),
    () => (doc['a'] = { ...below, c: value }),
    () => (doc['a'] = 'text'),
    () => delete doc['a'],
    () => (doc['a'] = { b: { c: text.length } }),
  ];
  edits[value % edits.length]!();
  return JSON.stringify(doc);
}

const atMost = (unseen: Vector, origin: RegionId, seq: number): Vector =>
  withSeq(unseen, origin, Math.min(seq, at(unseen, origin) || Infinity) as never);

const sorted = (values: Values | null) => values && Object.entries(values).sort();
const where = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      region: where,
      remove: fc.constantFrom(false, false, true),
      column: fc.nat({ max: COLUMNS.length + BY_VALUE.length }),
      value: fc.nat({ max: 8 }),
      n: fc.constantFrom(0, 0, 1, -3),
      clock: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), region: where }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('apply' as const), region: where }) },
);

describe('laws of what a batch does to a row', () => {
  it('regions that apply one by one and many at a time end with one row, and counters add up (I2, I7)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<RegisterPolicy>(
          { kind: 'hlc' },
          { kind: 'lww', column: null },
          { kind: 'first-write' },
          { kind: 'region-priority', regions: ['ap', 'us'] },
          { kind: 'manual' },
        ),
        fc.constantFrom<DeletePolicy>('update-wins', 'delete-wins', 'by-stamp'),
        fc.array(step, { maxLength: 50, size: 'max' }),
        fc.boolean(),
        (policy, onDelete, steps, wildClocks) => {
          const world = new World(specOf(policy, onDelete), wildClocks);
          for (const s of steps) world.step(s);
          world.exchange();
          const [one, all, two] = world.regions as [Region, Region, Region];
          expect(sorted(all.row)).toEqual(sorted(one.row));
          expect(sorted(two.row)).toEqual(sorted(one.row));
          const writes = one.log.filter((e) => e.op !== 'delete');
          if (writes.filter((e) => e.op === 'insert').length === 1 && writes.length === one.log.length)
            expect(one.row!['n']).toBe(String(writes.reduce((sum, e) => sum + Number(patchOf(e)['n'] ?? 0), 0)));
        },
      ),
      { numRuns: Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? 300) },
    );
  });
});
