import type { MapPath, Register, Values } from '@meridian/core';
import type { RowTable, Writing } from './row-replicas.builder.js';

/** A policy, and how its columns are written: one entry for each, and every law holds it. */
export interface PolicyColumns extends RowTable {
  readonly policy: string;
}

const register = (
  policy: string,
  of: Register['policy'],
  start: Values,
  write: (writing: Writing) => Values,
): PolicyColumns => ({ policy, registers: [{ columns: Object.keys(start), policy: of }], counters: [], start, write });

/** Every write sets a value that no other has. */
const marked = (policy: string, of: Register['policy'], column: string): PolicyColumns =>
  register(policy, of, { [column]: '-' }, ({ mark }) => ({ [column]: mark }));

/** An element put in, in front, or taken out. */
function toggled(text: string, element: string): string {
  const without = elementsOf(text).filter((e) => e !== element);
  return `{${(without.length < elementsOf(text).length ? without : [element, ...without]).join(',')}}`;
}

const elementsOf = (text: string): string[] =>
  text
    .slice(1, -1)
    .split(',')
    .filter((e) => e !== '');

/** The first five touch leaves of their own; the others put an object where a leaf was, and the reverse. */
function edited(text: string, draw: number): string {
  const doc = JSON.parse(text) as Record<string, unknown>;
  const below = typeof doc['a'] === 'object' ? (doc['a'] as Record<string, unknown>) : {};
  const edits: readonly (() => void)[] = [
    () => (doc['k'] = draw + Object.keys(doc).length),
    () => (doc['l'] = [1, { x: 2 }]),
    () => delete doc['k'],
    () => delete doc['l'],
    () => (doc['m'] = { deep: { er: text.length } }),
    () => (doc['a'] = { ...below, c: draw }),
    () => (doc['a'] = 'text'),
    () => delete doc['a'],
    () => (doc['a'] = { b: { c: text.length } }),
  ];
  edits[draw % edits.length]!();
  return JSON.stringify(doc);
}

/** Paths of their own, of which none stands in the way of another, whatever the clocks. */
const PATHS: readonly MapPath[] = [
  { path: ['n'], policy: { kind: 'counter' } },
  { path: ['in', 'n'], policy: { kind: 'counter' } },
  { path: ['of'], policy: { kind: 'set' } },
  { path: ['top'], policy: { kind: 'max', order: 'json' } },
  { path: ['first'], policy: { kind: 'first-write' } },
];

function editedByPath(text: string, draw: number): string {
  const doc = JSON.parse(text) as Record<string, unknown>;
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0) + (draw % 5) - 2;
  const of = Array.isArray(doc['of']) ? (doc['of'] as unknown[]) : [];
  const element = 'abcd'[draw % 4]!;
  const edits: readonly (() => void)[] = [
    () => (doc['n'] = count(doc['n'])),
    () => (doc['n'] = draw % 2 === 0 ? 'none' : { deep: draw }),
    () => delete doc['n'],
    () => (doc['in'] = { n: count((doc['in'] as { n?: number } | undefined)?.n) }),
    () => (doc['of'] = of.includes(element) ? of.filter((e) => e !== element) : [...of, element]),
    () => delete doc['of'],
    () => (doc['top'] = draw % 9),
    () => (doc['first'] = draw),
  ];
  edits[draw % edits.length]!();
  return JSON.stringify(doc);
}

/** A word put in, another in its place, or one taken out. */
const reworded = (text: string, draw: number, word: string): string =>
  text
    .split(' ')
    .toSpliced(draw, draw % 2, ...(draw % 3 === 2 ? [] : [word]))
    .join(' ');

const numbered = ({ draw }: Writing): string => String((draw % 9) * 7 - 20);
const elementOf = ({ draw }: Writing): string => 'abcd'[draw % 4]!;

export const POLICIES: readonly PolicyColumns[] = [
  marked('hlc', { kind: 'hlc' }, 'latest'),
  register('hlc, of a group', { kind: 'hlc' }, { amount: '-', currency: '-' }, ({ mark, draw }) => ({
    amount: mark,
    currency: draw % 2 === 0 ? 'EUR' : 'USD',
  })),
  marked('lww', { kind: 'lww', column: null }, 'wall'),
  marked('first-write', { kind: 'first-write' }, 'first'),
  marked('region-priority', { kind: 'region-priority', regions: ['ap', 'us'] }, 'ranked'),
  marked('manual', { kind: 'manual' }, 'decided'),
  marked('register', { kind: 'register' }, 'draft'),
  register('max', { kind: 'max', order: 'number' }, { top: '0' }, (w) => ({ top: numbered(w) })),
  register('min', { kind: 'min', order: 'number' }, { low: '0' }, (w) => ({ low: numbered(w) })),
  register('flag, enable wins', { kind: 'flag', wins: 'enable' }, { on: 'false' }, ({ draw }) => ({
    on: draw % 2 === 0 ? 'true' : 'false',
  })),
  register('flag, disable wins', { kind: 'flag', wins: 'disable' }, { shown: 'true' }, ({ draw }) => ({
    shown: draw % 2 === 0 ? 'true' : 'false',
  })),
  {
    ...{ policy: 'counter', registers: [], counters: ['n'], start: { n: '0' } },
    write: ({ draw }) => ({ n: ['1', '-3', '0.25', '40'][draw % 4]! }),
  },
  register('set', { kind: 'set' }, { tags: '{a}' }, (w) => ({ tags: toggled(w.row['tags']!, elementOf(w)) })),
  register('grow-set', { kind: 'grow-set' }, { seen: '{a}' }, (w) => ({
    // Nobody may take one away: who tries has done nothing.
    seen: elementsOf(w.row['seen']!).includes(elementOf(w)) ? w.row['seen']! : toggled(w.row['seen']!, elementOf(w)),
  })),
  // A scalar and an object that compete for one key need stamps that grow along causality (ADR 17).
  register('map', { kind: 'map' }, { doc: '{"a": {"b": 1}, "k": 1}' }, ({ row, draw, wildClocks }) => ({
    doc: edited(row['doc']!, wildClocks ? draw % 5 : draw),
  })),
  register('map, by path', { kind: 'map', paths: PATHS }, { plan: '{"n": 1, "of": ["a"]}' }, ({ row, draw }) => ({
    plan: editedByPath(row['plan']!, draw),
  })),
  register('text', { kind: 'text', longest: null }, { body: 'the quick brown fox jumps' }, ({ row, draw, mark }) => ({
    body: reworded(row['body']!, draw % 9, mark),
  })),
  marked(
    'merge:joined',
    {
      ...{ kind: 'merge', function: { name: 'joined', language: 'javascript', source: '' } },
      fallback: { kind: 'hlc' },
    },
    'note',
  ),
];

/** All of them in one row; a write is to one of the policies' columns, sometimes with another's. */
export const ALL_POLICIES: RowTable = {
  registers: POLICIES.flatMap((p) => p.registers),
  counters: POLICIES.flatMap((p) => p.counters),
  start: Object.assign({}, ...POLICIES.map((p) => p.start)) as Values,
  write: (writing) => {
    const { draw } = writing;
    const [one, other] = [POLICIES[draw % POLICIES.length]!, POLICIES[(draw >> 8) % POLICIES.length]!];
    const of = (policy: PolicyColumns): Values => policy.write({ ...writing, draw: draw >> 4 });
    return draw % 3 === 0 ? { ...of(one), ...of(other) } : of(one);
  },
};
