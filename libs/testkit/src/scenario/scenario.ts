import {
  type DeletePolicy,
  type RegionId,
  type Register,
  type TableName,
  type TableSpec,
  type Values,
  regionId,
} from '@meridian/core';
import { Replica } from './replica.js';

/*
 * Scenarios as text (test/golden): one command a line, `#` begins a comment.
 *
 *   policy lww delete-wins      registers by hlc (default) or lww; the delete policy
 *   policy x:set                x by another policy
 *   us insert x=1 n=10          a write in a region; its time is the number of the line
 *   us update x=2 | us add n=5 | us delete | us touch
 *   us -> eu                    us cuts what it has written, and eu gets all of us's ticks
 *   all                         everybody gets everything
 *
 * n is a counter; a and b are a group; x and y are columns.
 */
const POLICIES = ['update-wins', 'delete-wins', 'by-stamp'] as const;

export function runScenario(commands: string, names: readonly string[] = ['us', 'eu', 'ap']): string {
  const lines = commands.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const spec = specOf(lines.find((l) => l.startsWith('policy '))?.split(' ') ?? []);
  const replicas = new Map(names.map((n) => [n, new Replica(regionId(n), spec, (text) => text)]));
  for (const [i, line] of lines.entries())
    if (line !== '' && !line.startsWith('policy')) perform(replicas, line, i + 1);
  return outcome([...replicas.values()]);
}

function perform(replicas: ReadonlyMap<string, Replica>, line: string, time: number): void {
  const [first, verb, ...rest] = line.split(/\s+/) as [string, string | undefined, ...string[]];
  if (first === 'all') return exchange([...replicas.values()]);
  const replica = replicas.get(first);
  if (replica === undefined) throw new Error(`line ${time}: no region ${first}`);
  const patch = Object.fromEntries(rest.map((r) => r.split('=') as [string, string]));
  switch (verb) {
    case 'insert':
      return replica.write('insert', { id: '1', x: '-', y: '-', a: '-', b: '-', n: '0', ...patch }, time);
    case 'update':
      return replica.write('update', withGroup(replica, patch), time);
    case 'add':
      return replica.write('update', patch, time);
    case 'touch':
      return replica.write('update', {}, time);
    case 'delete':
      return replica.write('delete', {}, time);
    case '->':
      return hand(replica, replicas.get(rest[0] ?? '') ?? replica);
    default:
      throw new Error(`line ${time}: "${line}" is no command`);
  }
}

/** A version of a group carries all of its columns. */
const withGroup = (replica: Replica, patch: Values): Values =>
  'a' in patch || 'b' in patch ? { a: replica.row?.['a'] ?? null, b: replica.row?.['b'] ?? null, ...patch } : patch;

function hand(from: Replica, to: Replica): void {
  from.cut();
  for (const tick of from.ticks) to.receive(tick);
}

function exchange(replicas: readonly Replica[]): void {
  for (const replica of replicas) replica.cut();
  const ticks = replicas.flatMap((r) => r.ticks);
  while (replicas.some((r) => ticks.some((tick) => tick.origin !== r.region && r.receive(tick))));
}

/** One line for all regions that hold the same, then the open records. */
function outcome(replicas: readonly Replica[]): string {
  const rows = new Map<string, RegionId[]>();
  for (const { row, region } of replicas) {
    const text = row === null ? 'no row' : shown(row);
    rows.set(text, [...(rows.get(text) ?? []), region]);
  }
  const held = [...rows].map(([text, regions]) =>
    regions.length === replicas.length ? `all: ${text}` : `${regions.join(', ')}: ${text}`,
  );
  const records = replicas.flatMap(({ records, region }) =>
    [...records.values()].map((r) => `${region} records ${r.kind}, ${r.status}: ${r.reason}`),
  );
  return [...held, ...records].join('\n');
}

const shown = (row: Values): string =>
  Object.entries(row)
    .filter(([column, value]) => column !== 'id' && value !== '-')
    .map(([column, value]) => `${column}=${value}`)
    .sort()
    .join(' ');

/** Of the parts that a policy has, one that shows what they do. */
const POLICIES_OF_X: readonly Register['policy'][] = [
  { kind: 'first-write' },
  { kind: 'region-priority', regions: ['us'] },
  { kind: 'max', order: 'number' },
  { kind: 'min', order: 'number' },
  { kind: 'flag', wins: 'enable' },
  { kind: 'manual' },
  { kind: 'register' },
  { kind: 'set' },
  { kind: 'grow-set' },
  { kind: 'map' },
  { kind: 'text', longest: null },
];

function policyOfX(words: readonly string[]): Register['policy'] | undefined {
  const name = words.find((word) => word.startsWith('x:'))?.slice(2);
  const policy = POLICIES_OF_X.find(({ kind }) => kind === name);
  if (name !== undefined && policy === undefined) throw new Error(`x has no policy "${name}"`);
  return policy;
}

function specOf(words: readonly string[]): TableSpec {
  const policy = words.includes('lww') ? ({ kind: 'lww', column: null } as const) : ({ kind: 'hlc' } as const);
  const onDelete: DeletePolicy = POLICIES.find((p) => words.includes(p)) ?? 'update-wins';
  return {
    name: 'public.items' as TableName,
    keyColumns: ['id'],
    registers: [
      { columns: ['x'], policy: policyOfX(words) ?? policy },
      ...[['y'], ['a', 'b']].map((columns) => ({ columns, policy })),
    ],
    counters: ['n'],
    delete: onDelete,
    uniqueKeys: [],
    foreignKeys: [],
    renamed: [],
    agreed: ['id', 'x', 'y', 'a', 'b', 'n'],
    epoch: 1,
  };
}
