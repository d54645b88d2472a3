import { type Entry, covers, maximal } from '../causality/coverage.js';
import { addDecimals } from '../change/decimal.js';
import { type Values, beforeOf, isMove, isTouch, patchOf } from '../change/change.js';
import type { RegisterPolicy, TableSpec } from '../policy/table-policy.js';
import { compareRank, winner } from '../policy/rank.js';

/** How the maximal versions of one register, or of the row's existence, were decided. */
export interface Verdict {
  /** The register's columns; none: the row's existence. */
  readonly columns: readonly string[];
  readonly policy: string;
  /** In the order of stamp, origin, id. */
  readonly versions: readonly Entry[];
  readonly winner: Entry;
  /** Versions whose values differ from the winner's: what they wrote is not in the row. */
  readonly losers: readonly Entry[];
}

export interface Resolution {
  readonly exists: boolean;
  /** The whole row, also of one that does not exist: then it is the image that a later winner restores. */
  readonly values: Values;
  readonly verdicts: readonly Verdict[];
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
  const values = new Map<string, string | null>(Object.entries(present ?? (arriving.op === 'insert' ? written : {})));
  for (const register of spec.registers) {
    if (!writes(written, register.columns)) continue;
    const verdict = decideRegister(register.policy, register.columns, all);
    const won = patchOf(verdict.winner);
    for (const column of register.columns) values.set(column, valueOf(won, column));
    verdicts.push(verdict);
  }
  for (const column of spec.counters) values.set(column, count(column, arriving, uncovered, values.get(column) ?? '0'));
  const existence = decideExistence(spec, maximal(all));
  return { exists: existence.exists, values: Object.fromEntries(values), verdicts: [...verdicts, existence.verdict] };
}

function decideRegister(policy: RegisterPolicy, columns: readonly string[], all: readonly Entry[]): Verdict {
  const versions = maximal(all.filter((e) => writes(patchOf(e), columns))).sort((a, b) =>
    compareRank(BY_STAMP, columns, a, b),
  );
  const won = winner(policy, columns, versions);
  const losers = versions.filter((e) => e !== won && differs(columns, e, won));
  return { columns, policy: policy.kind, versions, winner: won, losers };
}

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
  const sorted = [...versions].sort((a, b) => compareRank(BY_STAMP, [], a, b));
  const deletes = sorted.filter((e) => e.op === 'delete');
  const others = sorted.filter((e) => e.op !== 'delete');
  const contended = deletes.length > 0 && others.length > 0;
  const exists = contended
    ? others.some(isTouch) || (!deletes.some(isMove) && existsBy(spec, sorted))
    : deletes.length === 0;
  // Uncontended, nobody loses: a verdict all the same, for it withdraws what an earlier one had recorded.
  const [winners, losers] = exists ? [others, deletes] : [deletes, others];
  const won = winner(BY_STAMP, [], winners);
  return { exists, verdict: { columns: [], policy: spec.delete, versions: sorted, winner: won, losers } };
}

function existsBy(spec: TableSpec, versions: readonly Entry[]): boolean {
  switch (spec.delete) {
    case 'update-wins':
      return true;
    case 'delete-wins':
      return false;
    case 'by-stamp':
      return winner(BY_STAMP, [], versions).op !== 'delete';
  }
}

const writes = (patch: Values, columns: readonly string[]): boolean => columns.some((c) => Object.hasOwn(patch, c));

const differs = (columns: readonly string[], a: Entry, b: Entry): boolean =>
  columns.some((c) => valueOf(patchOf(a), c) !== valueOf(patchOf(b), c));

const delta = (e: Entry, column: string): string => valueOf(patchOf(e), column) ?? '0';

const valueOf = (values: Values, column: string): string | null =>
  (Object.hasOwn(values, column) ? values[column] : null) ?? null;

/** What the first of the versions wrote over: the common base, as the record shows it. */
export const baseOf = (versions: readonly Entry[]): Values | null => {
  const first = versions.find((e) => e.before !== null);
  return first === undefined ? null : beforeOf(first);
};
