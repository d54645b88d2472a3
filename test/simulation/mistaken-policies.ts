import type { Change, ConflictRecord, Enrolments, Register, TableName, TableSpec } from '@meridian/core';
import { beforeOf, patchOf, valuesText } from '@meridian/core';
import type { Sabotage, SimulationOptions } from '@meridian/testkit';
import type { TakenAway } from './sabotage.js';
import { overriding, shipping } from './sabotaged-ports.js';

/*
 * Every policy taken away by itself: apply decides by another one than the table has. And of what a decision leaves behind, each
 * part.
 */

type Kind = Register['policy']['kind'];

/** Every apply reads the tables as this makes them; capture and the checkers know them as they are. */
const mistaking = (mistaken: (spec: TableSpec) => TableSpec): Sabotage => ({
  apply: (store) => {
    const enrolments = async (): Promise<Enrolments> => {
      const known = await store.enrolments();
      return { ...known, tables: new Map([...known.tables].map(([name, spec]) => [name, mistaken(spec)])) };
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'enrolments') return enrolments;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  },
});

const ofTable =
  (name: string, change: (spec: TableSpec) => TableSpec) =>
  (spec: TableSpec): TableSpec =>
    spec.name === (name as TableName) ? change(spec) : spec;

const registersAs = (table: string, change: (register: Register) => Register): Sabotage =>
  mistaking(ofTable(table, (spec) => ({ ...spec, registers: spec.registers.map(change) })));

/** The registers of this kind of policy by another one. */
const decidedAs = (table: string, kind: Kind, policy: Register['policy']): Sabotage =>
  registersAs(table, (register) => (register.policy.kind === kind ? { ...register, policy } : register));

const BOARDS: Partial<SimulationOptions> = { boards: true, policies: false, rows: 1 };
const ITEMS: Partial<SimulationOptions> = { boards: false, rows: 1, unique: false, family: false };
const HLC = { kind: 'hlc' } as const;

const ofBoards = (kind: Kind, policy: Register['policy'], more: Partial<SimulationOptions> = {}): TakenAway => ({
  rule: `${kind} is decided by ${kind}, not by ${policy.kind}`,
  run: { sabotage: decidedAs('public.boards', kind, policy), overrides: { ...BOARDS, ...more } },
  within: 30,
});

const flagReversed: TakenAway = {
  rule: 'a flag is won by the value that its policy names',
  run: {
    sabotage: registersAs('public.boards', ({ columns, policy }) => ({
      columns,
      policy: policy.kind === 'flag' ? { kind: 'flag', wins: policy.wins === 'enable' ? 'disable' : 'enable' } : policy,
    })),
    overrides: BOARDS,
  },
  within: 30,
};

const counterAsRegister: TakenAway = {
  rule: 'a counter is a counter, and no value that the last one sets',
  run: {
    sabotage: mistaking(
      ofTable('public.items', (spec) => ({
        ...spec,
        registers: [...spec.registers, ...spec.counters.map((column) => ({ columns: [column], policy: HLC }))],
        counters: [],
      })),
    ),
    overrides: ITEMS,
  },
  within: 30,
};

const deletesBy = (policy: TableSpec['delete'], taken: TableSpec['delete']): TakenAway => ({
  rule: `delete: ${policy} is not ${taken}`,
  run: {
    sabotage: mistaking((spec) => ({ ...spec, delete: taken })),
    overrides: { ...ITEMS, delete: policy, deletes: 0.25 },
  },
  within: 100,
});

/** Columns of a group that a write left as they were. */
function withoutUnchanged(change: Change): Change {
  if (change.op !== 'update' || change.table !== ('public.items' as TableName)) return change;
  const before = beforeOf(change);
  const changed = Object.entries(patchOf(change)).filter(([c, v]) => !['g', 'h'].includes(c) || before[c] !== v);
  return { ...change, patch: valuesText(Object.fromEntries(changed)) };
}

const keeping = (told: (record: ConflictRecord) => boolean): Sabotage =>
  overriding((inner) => ({ recordConflicts: (records) => inner.recordConflicts(records.filter(told)) }));

const isParking = ({ overwritten }: ConflictRecord): boolean => overwritten.length === 0;

export const MISTAKEN: readonly TakenAway[] = [
  {
    rule: 'hlc is decided by hlc, not by first-write',
    run: {
      sabotage: decidedAs('public.items', 'hlc', { kind: 'first-write' }),
      overrides: { ...ITEMS, order: HLC },
    },
    within: 30,
  },
  {
    rule: 'lww is decided by lww, not by hlc',
    run: {
      sabotage: decidedAs('public.items', 'lww', HLC),
      overrides: { ...ITEMS, order: { kind: 'lww', column: null }, skew: 60_000_000 },
    },
    within: 100,
  },
  ofBoards('first-write', HLC, { title: { kind: 'first-write' } }),
  ofBoards('region-priority', HLC, { title: { kind: 'region-priority', regions: ['eu', 'us'] } }),
  ofBoards('manual', { kind: 'first-write' }, { title: { kind: 'manual' } }),
  ofBoards('max', { kind: 'min', order: 'number' }),
  ofBoards('min', { kind: 'max', order: 'number' }),
  flagReversed,
  ofBoards('set', HLC),
  ofBoards('grow-set', HLC),
  ofBoards('map', HLC),
  ofBoards('merge', HLC),
  counterAsRegister,
  deletesBy('update-wins', 'delete-wins'),
  deletesBy('delete-wins', 'update-wins'),
  deletesBy('by-stamp', 'update-wins'),
  {
    rule: 'a write of a group carries all its columns',
    run: { sabotage: shipping((changes) => changes.map(withoutUnchanged)), overrides: ITEMS },
    within: 50,
  },
  {
    rule: 'a unique key is decided by its claims',
    run: {
      sabotage: mistaking((spec) => ({ ...spec, uniqueKeys: [] })),
      overrides: { ...ITEMS, rows: 3, unique: true },
    },
    within: 30,
  },
  {
    rule: 'what was overwritten is recorded',
    run: { sabotage: keeping(isParking), overrides: ITEMS },
    within: 30,
  },
  {
    rule: 'a parked row is recorded',
    run: { sabotage: keeping((record) => !isParking(record)), overrides: { rows: 3, unique: true } },
    within: 100,
  },
  {
    rule: 'the record of a change that won after all is withdrawn',
    run: {
      sabotage: keeping(({ status }) => status !== 'withdrawn'),
      overrides: { ...ITEMS, delete: 'by-stamp', deletes: 0.4 },
    },
    within: 200,
  },
];
