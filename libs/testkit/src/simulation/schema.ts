import {
  type FunctionPolicy,
  isWholeLeaf,
  type MergePolicy,
  merges,
  type Register,
  type TableName,
  type TableSpec,
  type Values,
} from '@meridian/core';
import { PLAN } from './boards.js';
import { CONFLICT_SPEC, type CounterRanges, SHARE_SPEC } from './memory-store/index.js';
import type { SimulationOptions } from './options.js';
import { keysOfTeams, keysOfUsers, TEAMS, USERS } from './people.js';
import type { Prng } from './prng.js';

export const ITEMS = 'public.items' as TableName;
export const ACCOUNTS = 'public.accounts' as TableName;
export const PARENTS = 'public.parents' as TableName;
export const CHILDREN = 'public.children' as TableName;
/** With a column of every policy that goes by values, or merges them. */
export const BOARDS = 'public.boards' as TableName;
/** The one whose enrolment ends and begins anew. */
export const VISITS = 'public.visits' as TableName;

/** With a bounded counter. */
export const STOCKS = 'public.stocks' as TableName;

/** Together in every region at every moment: transfers move them, none makes or loses any (I4). */
export const TOTAL_BALANCE = 300;
const ACCOUNT_ROWS: readonly Values[] = ['a', 'b', 'c'].map((id) => ({ id, balance: String(TOTAL_BALANCE / 3) }));

const NOTES: FunctionPolicy = {
  kind: 'merge',
  function: { name: 'joined', language: 'javascript', source: '' },
  fallback: { kind: 'hlc' },
};

/** The tables that the workload writes to; the same in every region. */
export function specsOf(options: SimulationOptions): ReadonlyMap<TableName, TableSpec> {
  const register = (...columns: string[]) => ({ columns, policy: options.order });
  const table = (name: TableName, { registers = [], counters = [], ...more }: Partial<TableSpec>): TableSpec => ({
    name,
    keyColumns: ['id'],
    registers,
    counters,
    delete: options.delete,
    uniqueKeys: [],
    foreignKeys: [],
    renamed: [],
    agreed: ['id', ...registers.flatMap((r) => r.columns), ...counters],
    epoch: 1,
    ...more,
  });
  const items = table(ITEMS, {
    registers: [register('x'), register('y'), register('list'), register('g', 'h'), register('u')],
    counters: ['n'],
    uniqueKeys: options.unique ? [{ name: 'items_u_key', columns: ['u'], nullsDistinct: true }] : [],
  });
  const children = table(CHILDREN, {
    registers: [register('parent'), register('v')],
    foreignKeys: [{ name: 'children_parent_fkey', columns: ['parent'], parent: PARENTS, parentColumns: ['id'] }],
  });
  const specs = [
    items,
    table(ACCOUNTS, { counters: ['balance'] }),
    table(PARENTS, { registers: [register('name')] }),
    children,
    table(STOCKS, {
      registers: [register('name')],
      counters: ['n'],
      bounded: [{ column: 'n', name: 'n', min: '0', since: 1 }],
    }),
    table(VISITS, { registers: [register('page')], counters: ['n'] }),
    table(BOARDS, {
      registers: [
        { columns: ['title'], policy: options.title },
        { columns: ['note'], policy: NOTES },
        { columns: ['draft'], policy: { kind: 'register' } },
        { columns: ['top'], policy: { kind: 'max', order: 'number' } },
        { columns: ['low'], policy: { kind: 'min', order: 'number' } },
        { columns: ['shown'], policy: { kind: 'flag', wins: 'disable' } },
        { columns: ['pinned'], policy: { kind: 'flag', wins: 'enable' } },
        { columns: ['tags'], policy: { kind: 'set' } },
        { columns: ['seen'], policy: { kind: 'grow-set' } },
        { columns: ['doc'], policy: { kind: 'map' } },
        { columns: ['plan'], policy: { kind: 'map', paths: PLAN } },
        { columns: ['body'], policy: { kind: 'text', longest: null } },
      ],
    }),
    table(USERS, {
      registers: [register('email'), register('nick'), register('boss'), register('team'), register('v')],
      ...keysOfUsers(options.keys),
    }),
    table(TEAMS, { registers: [register('lead'), register('name')], ...keysOfTeams(options.keys) }),
    CONFLICT_SPEC,
    SHARE_SPEC,
  ];
  return new Map(specs.map((spec) => [spec.name, spec]));
}

/** Boards under another policy. What is merged part by part stays so: that is no change for an enrolled table. */
export function otherBoards(options: SimulationOptions, prng: Prng): TableSpec {
  const boards = specsOf(options).get(BOARDS)!;
  const registers = boards.registers.map(({ columns, policy }) => ({
    columns,
    policy: merges(policy)
      ? otherPaths(policy, prng)
      : prng.pick<Register['policy']>([policy, { kind: 'hlc' }, { kind: 'first-write' }]),
  }));
  return { ...boards, registers, delete: prng.pick(['update-wins', 'delete-wins', 'by-stamp'] as const) };
}

/** What is made of values at a path stays so, too. */
function otherPaths(policy: MergePolicy, prng: Prng): MergePolicy {
  if (policy.kind !== 'map' || policy.paths === undefined) return policy;
  const others = [{ kind: 'hlc' }, { kind: 'min', order: 'json' }, { kind: 'first-write' }] as const;
  return {
    kind: 'map',
    paths: policy.paths.map((p) =>
      isWholeLeaf(p.policy) ? p : { path: p.path, policy: prng.pick([p.policy, ...others]) },
    ),
  };
}

/** Items' counter has a type so small that two regions together soon run over it. */
export const rangesOf = ({ greatestCount }: SimulationOptions): CounterRanges =>
  greatestCount === null ? new Map() : new Map([[ITEMS, new Map([['n', greatestCount]])]]);

export const INITIAL_ROWS: ReadonlyMap<TableName, readonly Values[]> = new Map([
  [ACCOUNTS, ACCOUNT_ROWS],
  [STOCKS, [{ id: '1', name: 'old', n: '10' }]],
]);
