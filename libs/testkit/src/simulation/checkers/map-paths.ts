import { beforeOf, covers, type Entry, type LeafPolicy, patchOf } from '@meridian/core';

/*
 * What a counter or a set inside a document should be, from all that was ever written. Beside the product's merge, which adds one
 * arriving change after another to what is there.
 */

/** The texts that it may have; undefined: it is neither. With a number or elements nothing else can be there. */
export function wholeLeaf(
  { kind }: LeafPolicy,
  column: string,
  path: readonly string[],
  writers: readonly Entry[],
): readonly (string | null)[] | undefined {
  if (kind !== 'counter' && kind !== 'set') return undefined;
  const inserts = writers.filter((e) => e.op === 'insert');
  const counted = writers.filter((e) => !inserts.some((i) => i !== e && covers(i, e)));
  const nothing = [...new Set(writers.map((e) => leafAt(patchOf(e)[column] ?? null, path)))];
  if (kind === 'set') {
    const elements = [...elementsAt(column, path, counted)].sort();
    if (elements.length > 0) return permutations(`[${elements.join(',')}]`, nothing);
    return [...nothing.filter((leaf) => !Array.isArray(parsed(leaf))), '[]'];
  }
  const number = (text: string | null): number => {
    const value = parsed(leafAt(text, path));
    return typeof value === 'number' ? value : 0;
  };
  const before = (e: Entry): number => (e.op === 'insert' ? 0 : number(beforeOf(e)[column] ?? null));
  const sum = counted.reduce((n, e) => n + number(patchOf(e)[column] ?? null) - before(e), 0);
  return sum === 0 ? [...nothing.filter((leaf) => typeof parsed(leaf) !== 'number'), '0'] : [String(sum)];
}

/** Whoever wrote alone wrote them in an order of its own. */
const permutations = (sorted: string, written: readonly (string | null)[]): string[] => [
  sorted,
  ...written.filter((leaf): leaf is string => leaf !== null && sortedText(leaf) === sorted),
];

function sortedText(leaf: string): string | null {
  const value = parsed(leaf);
  return Array.isArray(value)
    ? `[${value
        .map((e) => JSON.stringify(e))
        .sort()
        .join(',')}]`
    : null;
}

/** Added by a change that none has seen who took it away. */
function elementsAt(column: string, path: readonly string[], writers: readonly Entry[]): ReadonlySet<string> {
  const at = (text: string | null): readonly string[] => {
    const value = parsed(leafAt(text, path));
    return Array.isArray(value) ? value.map((e) => JSON.stringify(e)) : [];
  };
  const wrote = new Map(
    writers.map((e) => [
      e,
      { before: at(e.op === 'insert' ? null : (beforeOf(e)[column] ?? null)), after: at(patchOf(e)[column] ?? null) },
    ]),
  );
  const touches = (e: Entry, element: string): boolean => {
    const { before, after } = wrote.get(e)!;
    return e.op === 'insert' || before.includes(element) !== after.includes(element);
  };
  const all = new Set([...wrote.values()].flatMap(({ before, after }) => [...before, ...after]));
  return new Set(
    [...all].filter((element) => {
      const touching = writers.filter((e) => touches(e, element));
      const last = touching.filter((e) => !touching.some((f) => f !== e && covers(f, e)));
      return last.some((e) => wrote.get(e)!.after.includes(element));
    }),
  );
}

/** As JSON; null: nothing is there. */
export function leafAt(text: string | null, path: readonly string[]): string | null {
  let value: unknown = parsed(text);
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    value = (value as Record<string, unknown>)[key];
    if (value === undefined) return null;
  }
  return JSON.stringify(value);
}

const parsed = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text));
