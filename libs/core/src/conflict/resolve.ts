import { type Entry, covers, maximal } from '../causality/coverage.js';
import { addDecimals } from '../change/decimal.js';
import { type Values, beforeOf, isMove, isTouch, onlyColumns, patchOf, valueIn } from '../change/change.js';
import { pathOf } from '../merge/json-leaves.js';
import { MapPaths } from '../merge/map-paths.js';
import { type LeafVerdict, mergeMap } from '../merge/merge-map.js';
import { mergeSet } from '../merge/merge-set.js';
import {
  type DeletePolicy,
  type FunctionPolicy,
  type LeafPolicy,
  type MergePolicy,
  type Register,
  type RegisterPolicy,
  type TableSpec,
  merges,
  policyAt,
} from '../policy/table-policy.js';
import { compareRank, winner } from '../policy/rank.js';

/** How the maximal versions of one register, or of the row's existence, were decided. */
export interface Verdict {
  /** The register's columns; none: the row's existence. */
  readonly columns: readonly string[];
  /** Of a value that is merged part by part, the keys down to this one; null: the whole. */
  readonly part: readonly string[] | null;
  readonly policy: Register['policy'] | LeafPolicy | { readonly kind: DeletePolicy };
  /** With which that policy came. */
  readonly epoch: number;
  /** Why the policy's function gave nothing, so that its fallback decided; null: it has none, or it gave something. */
  readonly failure: string | null;
  /** In the order of stamp, origin, id. */
  readonly versions: readonly Entry[];
  readonly winner: Entry;
  /** Versions whose values differ from the winner's: what they wrote is not in the row. */
  readonly losers: readonly Entry[];
  /** What a version wrote to the register, or to this part of it. */
  readonly wrote: (version: Entry) => Values;
}

export interface Resolution {
  readonly exists: boolean;
  /** The whole row, also of one that does not exist: then it is the image that a later winner restores. */
  readonly values: Values;
  readonly verdicts: readonly Verdict[];
  /** Values and verdicts are the fallbacks', until the functions have run ({@link settle}). */
  readonly pending: readonly PendingMerge[];
}

/** A register that a user's function is to decide. */
export interface PendingMerge {
  readonly columns: readonly string[];
  readonly policy: FunctionPolicy;
  /** What the first of the versions wrote over; null: there was no row. */
  readonly base: Values | null;
  /** The maximal ones, in the order of stamp, origin, id. */
  readonly versions: readonly Entry[];
}

const BY_STAMP: RegisterPolicy = { kind: 'hlc' };

/**
 * Decides an arriving change among the uncovered ones of its row (design 6). A function of these versions: only the columns
 * that the change writes are decided anew, each among the maximal ones of the changes that write it, for any earlier change
 * of that column is covered; `present` (the row, or the image of a deleted one) supplies the columns nobody contends.
 */
export function resolve(
  spec: TableSpec,
  arriving: Entry,
  uncovered: readonly Entry[],
  present: Values | null,
): Resolution {
  const all = [...uncovered, arriving];
  const written = patchOf(arriving);
  const verdicts: Verdict[] = [];
  const pending: PendingMerge[] = [];
  const values = new Map<string, string | null>(Object.entries(present ?? (arriving.op === 'insert' ? written : {})));
  for (const register of contended(spec, arriving, all)) {
    const decided = decideRegister(spec, register, arriving, uncovered, values);
    for (const [column, value] of Object.entries(decided.values)) values.set(column, value);
    verdicts.push(...decided.verdicts.map((verdict) => ({ ...verdict, epoch: register.since })));
    pending.push(...(decided.pending ?? []));
  }
  for (const column of spec.counters) values.set(column, count(column, arriving, uncovered, values.get(column) ?? '0'));
  const existence = decideExistence(spec, maximal(all));
  return {
    exists: existence.exists,
    values: Object.fromEntries(values),
    verdicts: [...verdicts, existence.verdict],
    pending,
  };
}

/** A register under the policy that decides it now. */
interface InForce extends Register {
  /** The epoch with which its policy came: what a write from before wrote over may have been folded from several. */
  readonly since: number;
}

/**
 * The registers that a change writes, each as the latest policy has it that any of its maximal versions was written under: in
 * whatever order policy and changes arrive, regions decide by the same one (design 6).
 */
export function contended(spec: TableSpec, arriving: Entry, all: readonly Entry[]): readonly InForce[] {
  const written = patchOf(arriving);
  if (spec.earlier === undefined || spec.earlier.length === 0)
    return spec.registers.filter((r) => writes(written, r.columns)).map((r) => ({ ...r, since: spec.epoch }));
  const registers = new Map<string, InForce>();
  for (const { columns } of spec.registers)
    for (const column of columns) {
      if (!Object.hasOwn(written, column)) continue;
      const { registers: of, epoch } = policyAt(
        spec,
        latestEpoch(maximal(all.filter((e) => writes(patchOf(e), [column])))),
      );
      const register = of.find((r) => r.columns.includes(column)) ?? { columns: [column], policy: BY_STAMP };
      registers.set(JSON.stringify(register.columns), { ...register, since: epoch });
    }
  return [...registers.values()];
}

export const latestEpoch = (versions: readonly Entry[]): number =>
  versions.reduce((latest, e) => Math.max(latest, e.epoch), 0);

/** A register's columns after the decision, and what it was. */
interface Decided {
  readonly values: Values;
  readonly verdicts: readonly Omit<Verdict, 'epoch'>[];
  readonly pending?: readonly PendingMerge[];
}

function decideRegister(
  spec: TableSpec,
  { columns, policy, since }: InForce,
  arriving: Entry,
  uncovered: readonly Entry[],
  present: ReadonlyMap<string, string | null>,
): Decided {
  const others = uncovered.filter((e) => writes(patchOf(e), columns));
  if (policy.kind === 'merge') return decideByFunction(policy, columns, since, [...others, arriving]);
  if (!merges(policy)) return decideWhole(policy, columns, [...others, arriving]);
  const column = columns[0]!;
  // Who has seen all the others has written what there is to be, in an order of its own.
  if (others.length === 0) return { values: onlyColumns(patchOf(arriving), columns), verdicts: [] };
  return mergeParts(policy, column, arriving, others, present.get(column) ?? null, (epoch) =>
    pathsOf(spec, column, epoch),
  );
}

/** By its fallback for now. Of one version, or of equal ones, a function has nothing to make. */
function decideByFunction(
  policy: FunctionPolicy,
  columns: readonly string[],
  since: number,
  writers: readonly Entry[],
): Decided {
  const { values, verdicts } = decideWhole(policy.fallback, columns, writers);
  const decided = { values, verdicts: verdicts.map((v) => ({ ...v, policy })) };
  const { versions, losers } = decided.verdicts[0]!;
  if (losers.length === 0) return decided;
  const base = baseOf(versions.filter((e) => e.epoch >= since));
  return { ...decided, pending: [{ columns, policy, base: base && onlyColumns(base, columns), versions }] };
}

/** What a function has made of a register, or why it made nothing: then the fallback stands. */
export type Made =
  { readonly kind: 'merged'; readonly values: Values } | { readonly kind: 'failed'; readonly reason: string };

/** The resolution with what a function made of one of its registers. */
export function settle(resolution: Resolution, { columns }: PendingMerge, made: Made): Resolution {
  const verdicts = resolution.verdicts.map((verdict) =>
    verdict.columns === columns ? settled(verdict, made) : verdict,
  );
  const values = made.kind === 'merged' ? { ...resolution.values, ...made.values } : resolution.values;
  return { ...resolution, values, verdicts, pending: resolution.pending.filter((p) => p.columns !== columns) };
}

/** Nobody has lost where all versions went into the result. */
const settled = (verdict: Verdict, made: Made): Verdict =>
  made.kind === 'merged' ? { ...verdict, losers: [] } : { ...verdict, failure: made.reason };

export function decideWhole(policy: RegisterPolicy, columns: readonly string[], writers: readonly Entry[]): Decided {
  const versions = byStamp(columns, maximal(writers));
  const won = winner(policy, columns, versions);
  const losers = versions.filter((e) => e !== won && differs(columns, e, won));
  const wrote = (e: Entry): Values => onlyColumns(patchOf(e), columns);
  return {
    // A version from before the columns were a group may not have all of them.
    values: onlyColumns(patchOf(won), columns),
    verdicts: [{ columns, part: null, policy, failure: null, versions, winner: won, losers, wrote }],
  };
}

function mergeParts(
  policy: MergePolicy,
  column: string,
  arriving: Entry,
  others: readonly Entry[],
  present: string | null,
  pathsAt: (epoch: number) => MapPaths,
): Decided {
  // Of all that was written beside one another, which are more than `others`: whoever has the log merges it (decideText).
  if (policy.kind === 'text') return { values: {}, verdicts: [] };
  if (policy.kind === 'map') {
    const { value, verdicts } = mergeMap(column, arriving, others, present, pathsAt);
    return {
      values: Object.fromEntries([[column, value]]),
      verdicts: verdicts.map((leaf) => leafVerdict(column, leaf)),
    };
  }
  const value = mergeSet(column, policy.kind === 'grow-set', arriving, others, present);
  return { values: Object.fromEntries([[column, value]]), verdicts: [] };
}

function pathsOf(spec: TableSpec, column: string, epoch: number): MapPaths {
  const policy = policyAt(spec, epoch).registers.find((r) => r.columns.includes(column))?.policy;
  return new MapPaths(policy?.kind === 'map' ? policy.paths : []);
}

const leafVerdict = (
  column: string,
  { path, policy, versions, winner: won, losers, wrote }: LeafVerdict,
): Omit<Verdict, 'epoch'> => ({
  columns: [column],
  part: pathOf(path),
  policy: policy ?? { kind: 'map' },
  failure: null,
  versions: byStamp([column], versions),
  winner: won,
  losers,
  wrote: (e) => Object.fromEntries([[column, wrote(e)]]),
});

const byStamp = (columns: readonly string[], versions: readonly Entry[]): Entry[] =>
  [...versions].sort((a, b) => compareRank(BY_STAMP, columns, a, b));

/** Op-based PN-counter: an update adds its difference; an insert starts anew, dropping what it covers and keeping what it does not. */
function count(column: string, arriving: Entry, uncovered: readonly Entry[], present: string): string {
  const own = delta(arriving, column);
  if (arriving.op !== 'insert') return addDecimals(present, own);
  const inserts = [...uncovered, arriving].filter((e) => e.op === 'insert');
  return uncovered
    .filter((e) => !inserts.some((i) => i !== e && covers(i, e)))
    .reduce((sum, e) => addDecimals(sum, delta(e, column)), own);
}

/**
 * The row's existence is a register of its own: deletes against the others. A touch (a child refers to this row) beside a
 * delete keeps the row whatever the delete policy, else the child would be an orphan in every region. Then a row that went on
 * under another key is gone from this one, else it would be there twice.
 */
function decideExistence(spec: TableSpec, versions: readonly Entry[]): { exists: boolean; verdict: Verdict } {
  const sorted = byStamp([], versions);
  const { delete: policy, epoch } = policyAt(spec, latestEpoch(versions));
  const deletes = sorted.filter((e) => e.op === 'delete');
  const others = sorted.filter((e) => e.op !== 'delete');
  const isContended = deletes.length > 0 && others.length > 0;
  const exists = isContended
    ? others.some(isTouch) || (!deletes.some(isMove) && existsBy(policy, sorted))
    : deletes.length === 0;
  // Uncontended, nobody loses: a verdict all the same, for it withdraws what an earlier one had recorded.
  const [winners, losers] = exists ? [others, deletes] : [deletes, others];
  const won = winner(BY_STAMP, [], winners);
  const verdict = {
    columns: [],
    part: null,
    policy: { kind: policy },
    epoch,
    failure: null,
    versions: sorted,
    winner: won,
    losers,
    wrote: patchOf,
  };
  return { exists, verdict };
}

function existsBy(policy: DeletePolicy, versions: readonly Entry[]): boolean {
  switch (policy) {
    case 'update-wins':
      return true;
    case 'delete-wins':
      return false;
    case 'by-stamp':
      return winner(BY_STAMP, [], versions).op !== 'delete';
  }
}

export const writes = (patch: Values, columns: readonly string[]): boolean =>
  columns.some((c) => Object.hasOwn(patch, c));

const differs = (columns: readonly string[], a: Entry, b: Entry): boolean =>
  columns.some((c) => valueIn(patchOf(a), c) !== valueIn(patchOf(b), c));

const delta = (e: Entry, column: string): string => valueIn(patchOf(e), column) ?? '0';

/** What the first of the versions wrote over: the common base, as the record shows it. */
export const baseOf = (versions: readonly Entry[]): Values | null => {
  const first = versions.find((e) => e.before !== null);
  return first === undefined ? null : beforeOf(first);
};
