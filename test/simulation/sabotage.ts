import type {
  ApplyStore,
  ApplyTransaction,
  Change,
  Claimant,
  Cut,
  Enrolments,
  Entry,
  Head,
  RegionId,
  TableName,
  Tick,
  TickStore,
  Vector,
  WriteOutcome,
} from '@meridian/core';
import { beforeOf, isTouch, patchOf, rowId, valuesText } from '@meridian/core';
import type { RunOptions, Sabotage } from '@meridian/testkit';

/*
 * Each of these takes one rule of the design away, between the runtime and its store: a test that has never failed proves
 * nothing. The product has no such switches.
 */

type Override = (inner: ApplyTransaction, store: ApplyStore) => Partial<ApplyTransaction>;

/** A transaction whose methods pass through, but for those overridden. */
function overriding(override: Override): Sabotage {
  return {
    apply: (store): ApplyStore => ({
      region: store.region,
      heads: (): Promise<ReadonlyMap<RegionId, Head>> => store.heads(),
      enrolments: (): Promise<Enrolments> => store.enrolments(),
      waitingTables: (): Promise<ReadonlySet<TableName>> => store.waitingTables(),
      begin: async () => {
        const inner = await store.begin();
        const own = override(inner, store);
        return new Proxy(inner, {
          get: (target, name) => {
            const method = (name in own ? own : target)[name as keyof ApplyTransaction];
            return typeof method === 'function' ? method.bind(name in own ? own : target) : method;
          },
        });
      },
    }),
  };
}

/** A relay whose cuts ship something else than they should. */
const shipping = (changed: (changes: readonly Change[]) => readonly Change[]): Sabotage => ({
  ticks: (store): TickStore => ({
    region: store.region,
    hasMoved: () => store.hasMoved(),
    readTicks: (origin, from, limit) => store.readTicks(origin, from, limit),
    lastDeps: () => store.lastDeps(),
    dropBelow: (cut) => store.dropBelow(cut),
    openCut: async () => {
      const cut = await store.openCut();
      const shipped: Cut = {
        header: cut.header,
        counters: cut.counters,
        changes: async () => changed(await cut.changes()),
        commit: (tick) => cut.commit(tick),
        abandon: () => cut.abandon(),
      };
      return shipped;
    },
  }),
});

const DONE: WriteOutcome = { retry: null };

/** Steps 2 and 7 see the same: what was written in between is not noticed. */
const noSecondLook: Override = (inner) => {
  let first: readonly Entry[] = [];
  return {
    hold: async (rows, floor) => {
      const held = await inner.hold(rows, floor);
      if ('entries' in held) first = held.entries;
      return held;
    },
    entriesAbove: async () => first,
    takeCutLock: () => Promise.resolve(),
  };
};

/** The vector in a transaction of its own, before the rows: a crash in between loses them. */
const vectorFirst: Override = (_inner, store) => ({
  advance: async (ticks: readonly Tick[], positions) => {
    const early = await store.begin();
    const outcome = await early.advance(ticks, positions);
    if (outcome.retry === null) await early.commit();
    else await early.rollback();
    return outcome;
  },
});

const withoutClaims = (rows: readonly Claimant[]): Claimant[] =>
  rows.map((row) => (row.row.place === 'parked' ? { ...row, claims: new Map() } : row));

/** A delete and an insert of one row as the update that they look like. */
const foldedOverDeletes = (changes: readonly Change[]): Change[] =>
  changes.flatMap((change, i) => {
    const ofRow = (c: Change): boolean => rowId(c) === rowId(change);
    const next = changes.slice(i + 1).find(ofRow);
    if (change.op === 'delete' && next?.op === 'insert') return [];
    const previous = changes.slice(0, i).findLast(ofRow);
    if (change.op !== 'insert' || previous?.op !== 'delete') return [change];
    const before = beforeOf(previous);
    const n = String(Number(patchOf(change)['n']) - Number(before['n']));
    return [{ ...change, op: 'update', before: previous.before, patch: valuesText({ ...patchOf(change), n }) }];
  });

/** As if every enrolment had been the first one. */
const forgettingEnded: Sabotage = {
  apply: (store) =>
    new Proxy(store, {
      get: (target, name) => {
        if (name === 'enrolments') return async () => ({ ...(await target.enrolments()), ended: new Map() });
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    }),
};

const droppingTooMuch: Sabotage = {
  ticks: (store) => {
    const eager = (_stable: Vector): Promise<number> =>
      store.lastDeps().then((deps) => store.dropBelow(deps.get(store.region) ?? {}));
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'dropBelow') return eager;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  },
};

export interface TakenAway {
  readonly rule: string;
  readonly run: RunOptions;
  /** Seeds within which its absence has to be noticed; two to five times what it took when it was written. */
  readonly within: number;
}

export const TAKEN_AWAY: readonly TakenAway[] = [
  {
    rule: 'races are recorded, and shipped as unseen',
    run: { sabotage: overriding(() => ({ recordRaces: () => Promise.resolve() })) },
    within: 50,
  },
  {
    rule: 'a change is decided against what its unseen excepts',
    run: { sabotage: shipping((changes) => changes.map((change) => ({ ...change, unseen: null }))) },
    within: 50,
  },
  {
    rule: 'a key without a row is looked at again under the cut lock (step 7)',
    run: {
      sabotage: overriding(noSecondLook),
      overrides: { deletes: 0.4, rows: 1, stallChance: 0.05, longestStall: 20_000 },
    },
    within: 600,
  },
  {
    rule: "every delete of a row keeps the row's newest image",
    run: {
      sabotage: overriding(() => ({ keepImages: () => Promise.resolve() })),
      overrides: { deletes: 0.25, rows: 1 },
    },
    within: 200,
  },
  {
    rule: 'parked rows return when their key is free (the sweep)',
    run: { sabotage: overriding(() => ({ parked: () => Promise.resolve([]) })), overrides: { unique: true } },
    within: 100,
  },
  {
    rule: 'claims on a contended key are kept',
    run: {
      sabotage: overriding((inner) => ({
        keepClaims: () => Promise.resolve(),
        parked: async () => withoutClaims(await inner.parked()),
        claimants: async (table, key, values) => withoutClaims(await inner.claimants(table, key, values)),
      })),
      overrides: { unique: true },
    },
    within: 200,
  },
  {
    rule: 'nothing folds over a delete',
    run: { sabotage: shipping(foldedOverDeletes), overrides: { deletes: 0.4 } },
    within: 100,
  },
  {
    rule: 'touches of parents are shipped',
    run: {
      sabotage: shipping((changes) => changes.filter((c) => !isTouch(c))),
      overrides: { family: true, delete: 'delete-wins' },
    },
    within: 200,
  },
  {
    rule: 'the vector advances by compare-and-set',
    run: {
      sabotage: overriding((inner) => ({
        advance: async (ticks, positions) => {
          const outcome = await inner.advance(ticks, positions);
          return outcome.retry === 'overtaken' ? DONE : outcome;
        },
      })),
      overrides: { twoAppliers: true },
    },
    within: 100,
  },
  {
    rule: 'rows and vector commit together',
    run: { sabotage: overriding(vectorFirst), overrides: { crashes: true } },
    within: 100,
  },
  {
    rule: 'changes of ended enrolments are let pass',
    run: { sabotage: forgettingEnded, overrides: { enrolments: true } },
    within: 100,
  },
  {
    rule: 'the log is dropped below the stable cut only',
    run: { sabotage: droppingTooMuch, overrides: { partition: 1 } },
    within: 100,
  },
];
