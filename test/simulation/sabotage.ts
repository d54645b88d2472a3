import type { Change, Claimant, Head, RegionId, RowEffect, Tick, Vector, WriteOutcome } from '@meridian/core';
import { beforeOf, isTouch, parseValues, patchOf, rowId, seq, valuesText } from '@meridian/core';
import type { RunOptions, Sabotage } from '@meridian/testkit';
import { overriding, type Override, shipping } from './sabotaged-ports.js';

/*
 * Each of these takes one rule of the design away, between the runtime and its store: a test that has never failed proves
 * nothing. The product has no such switches.
 */

const DONE: WriteOutcome = { retry: null };

/** What was written since step 2 is not noticed. */
const noSecondLook: Override = () => ({ lookAgain: () => Promise.resolve(DONE) });

/** Whoever comes second finds the vector where it wanted it, and leaves it there. */
const alreadyAdvanced: Override = (inner, store) => {
  let heads: ReadonlyMap<RegionId, Head> = new Map();
  return {
    hold: async (rows, floor) => {
      const held = await inner.hold(rows, floor);
      heads = await store.heads();
      return held;
    },
    advance: (ticks, positions) =>
      inner.advance(
        ticks.filter(({ origin, seq }) => seq > (heads.get(origin)?.seq ?? 0)),
        positions,
      ),
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

/** Where two regions soon bring a counter beyond its type. */
const GREATEST_COUNT = 5;
const shown = (n: number): string => String(Math.max(-GREATEST_COUNT, Math.min(GREATEST_COUNT, n)));

/** As if there were only what the columns show: of a sum beyond its counter's type the bound is left. */
const clampAndForget: Override = (inner) => ({
  write: async (effects) => {
    const present = await inner.read(effects.filter((e) => e.kind === 'update' && e.counters === 'add'));
    return inner.write(
      effects.map((effect): RowEffect => {
        const values = 'values' in effect ? parseValues(effect.values) : {};
        if (!('values' in effect) || !('n' in values)) return effect;
        const held = Number(present.get(rowId(effect))?.values['n'] ?? 0);
        const clamped = { ...effect, values: valuesText({ ...values, n: shown(held + Number(values['n'])) }) };
        return clamped.kind === 'update' ? { ...clamped, counters: 'set' } : clamped;
      }),
    );
  },
});

const deletedAsShown = (change: Change): Change => {
  const before = beforeOf(change);
  return change.op === 'delete' && 'n' in before
    ? { ...change, before: valuesText({ ...before, n: shown(Number(before['n'])) }) }
    : change;
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
    rule: 'what a sum is beyond its counter is kept',
    run: { sabotage: overriding(clampAndForget), overrides: { greatestCount: GREATEST_COUNT } },
    within: 20,
  },
  {
    rule: 'a deleted row is logged with the full sums of its counters',
    run: {
      sabotage: shipping((changes) => changes.map(deletedAsShown)),
      overrides: {
        ...{ greatestCount: GREATEST_COUNT, deletes: 0.1, rows: 3, delete: 'update-wins' },
        ...{ regions: ['ap', 'eu', 'sa', 'us'], unique: false, family: false, transfers: false },
      },
    },
    within: 100,
  },
  {
    rule: 'a counter beyond its type shows as much as that holds, whatever a local write left of it (the sweep)',
    run: {
      sabotage: overriding(() => ({ unsettled: () => Promise.resolve([]) })),
      overrides: { greatestCount: GREATEST_COUNT, deletes: 0, rows: 3, family: false, transfers: false },
    },
    within: 50,
  },
  {
    rule: 'a sibling ends with a write that had seen it (the sweep)',
    run: {
      sabotage: overriding(() => ({
        openSiblings: () => Promise.resolve({ records: [], forgotten: seq(0) }),
      })),
      overrides: { boards: true },
    },
    within: 100,
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
    rule: 'what a policy makes of a loser is a change of its row, and logged',
    run: {
      sabotage: overriding(() => ({ logOwn: () => Promise.resolve() })),
      overrides: { people: true, boards: false },
    },
    within: 50,
  },
  {
    rule: 'a loser is deleted behind all local writers of its table',
    run: {
      sabotage: overriding(() => ({
        holdWriters: () => Promise.resolve(DONE),
        lookAgain: () => Promise.resolve(DONE),
      })),
      overrides: {
        ...{
          people: true,
          boards: false,
          transfers: false,
          writers: 3,
          think: 500,
          stallChance: 0.05,
          longestStall: 20_000,
        },
        keys: { email: 'delete', nick: 'delete', boss: 'cascade', team: 'cascade', lead: 'cascade' },
      },
    },
    within: 400,
  },
  {
    rule: 'the vector advances by compare-and-set',
    run: {
      sabotage: overriding(alreadyAdvanced),
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
    rule: 'what a region took of its share travels with the change that took it',
    run: {
      sabotage: shipping((changes) => changes.filter(({ table }) => table !== 'meridian.share')),
      overrides: { stocks: true },
    },
    within: 20,
  },
  {
    rule: 'the log is dropped below the stable cut only',
    run: { sabotage: droppingTooMuch, overrides: { partition: 1 } },
    within: 100,
  },
];
