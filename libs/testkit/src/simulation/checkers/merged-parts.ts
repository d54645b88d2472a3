import { beforeOf, compareRank, covers, type Entry, patchOf, type MergePolicy, type TextPolicy } from '@meridian/core';

/*
 * What a merged value should be, decided anew for each part from all that was ever written to it. Beside the product's merge, which
 * decides an arriving change among those that it has not seen, and never looks back.
 */

/** Beside a text, whose parts have an order of their own. */
export type PartsPolicy = Exclude<MergePolicy, TextPolicy>;

export interface DecidedPart {
  /** Null: it is not there. */
  readonly value: string | null;
  readonly losers: readonly Entry[];
}

type Parts = ReadonlyMap<string, string>;

/** An element, or the keys to a leaf, and its text. */
export const partsOf = (policy: PartsPolicy, text: string | null): Parts =>
  policy.kind === 'map' ? leavesOf(text) : new Map(elementsOf(text).map((e) => [e, e]));

export const allParts = (policy: PartsPolicy, column: string, writers: readonly Entry[]): ReadonlySet<string> =>
  new Set(writers.flatMap((e) => [...before(policy, column, e).keys(), ...after(policy, column, e).keys()]));

/** Undefined: nobody wrote to it. */
export function decidePart(
  policy: PartsPolicy,
  column: string,
  part: string,
  writers: readonly Entry[],
): DecidedPart | undefined {
  const wrote = new Map(writers.map((e) => [e, writtenTo(policy, column, part, e)]));
  const touching = writers.filter((e) => wrote.get(e) !== undefined);
  const versions = touching.filter((e) => !touching.some((f) => f !== e && covers(f, e)));
  if (versions.length === 0) return undefined;
  if (policy.kind !== 'map') {
    const added = versions.some((e) => wrote.get(e) !== null);
    return { value: added ? part : null, losers: [] };
  }
  // An insert has nothing that it does not name, but takes it from nobody who names it beside.
  const meant = versions.filter((e) => e.op !== 'insert' || means(policy, column, part, e));
  const won = [...(meant.length > 0 ? meant : versions)]
    .sort((a, b) => compareRank({ kind: 'hlc' }, [column], a, b))
    .at(-1)!;
  const value = wrote.get(won)!;
  const named = versions.filter((e) => before(policy, column, e).get(part) !== after(policy, column, e).get(part));
  return { value, losers: named.filter((e) => wrote.get(e) !== value) };
}

/** Undefined: nothing; null: it took it away. */
function writtenTo(policy: PartsPolicy, column: string, part: string, e: Entry): string | null | undefined {
  const [old, now] = [before(policy, column, e), after(policy, column, e)];
  const here = now.get(part) ?? null;
  if (e.op === 'insert') return here;
  if (here !== (old.get(part) ?? null)) return policy.kind === 'grow-set' && here === null ? undefined : here;
  return policy.kind === 'map' && means(policy, column, part, e) ? null : undefined;
}

/** It set this leaf, or one that cannot be beside it. */
function means(policy: PartsPolicy, column: string, part: string, e: Entry): boolean {
  const [old, now] = [before(policy, column, e), after(policy, column, e)];
  const set = [...now].filter(([p, leaf]) => old.get(p) !== leaf).map(([p]) => p);
  return old.get(part) !== now.get(part) || set.some((p) => isAbove(p, part) || isAbove(part, p));
}

const before = (policy: PartsPolicy, column: string, e: Entry): Parts =>
  partsOf(policy, e.op === 'insert' ? null : (beforeOf(e)[column] ?? null));
const after = (policy: PartsPolicy, column: string, e: Entry): Parts => partsOf(policy, patchOf(e)[column] ?? null);

const isAbove = (a: string, b: string): boolean => {
  const [x, y] = [JSON.parse(a) as string[], JSON.parse(b) as string[]];
  return x.length < y.length && x.every((key, i) => key === y[i]);
};

const elementsOf = (text: string | null): string[] =>
  text === null || text === '{}' ? [] : text.slice(1, -1).split(',');

function leavesOf(text: string | null): Parts {
  const leaves = new Map<string, string>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      leaves.set(JSON.stringify(path), JSON.stringify(value));
    else for (const [key, member] of Object.entries(value)) walk(member, [...path, key]);
  };
  if (text !== null) walk(JSON.parse(text), []);
  return leaves;
}
