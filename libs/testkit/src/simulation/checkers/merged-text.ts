import { beforeOf, covers, decideText, type Entry, patchOf, type TextPolicy } from '@meridian/core';

/*
 * What a merged text should be, from all that was ever written to it: beside the product's merge, which goes no further back than a
 * change that all others had seen.
 */

/** Null: as it should be. */
export function wrongText(column: string, policy: TextPolicy, writers: readonly Entry[], held: string): string | null {
  const whole = decideText(column, policy, writers).value ?? '';
  if (held !== whole) return `should be ${whole}`;
  for (const [word, by] of wordsPutIn(column, writers)) {
    const removed = writers.some((e) => covers(e, by) && has(before(column, e), word) && !has(after(column, e), word));
    const there = held.split(word).length - 1;
    if (there !== (removed ? 0 : 1)) return `should have ${word} ${removed ? 'no more' : 'once'}`;
  }
  return null;
}

/** Every word that a writer puts in is another one. */
function wordsPutIn(column: string, writers: readonly Entry[]): ReadonlyMap<string, Entry> {
  const updates = writers.filter((e) => e.op === 'update');
  return new Map(
    updates.flatMap((e): [string, Entry][] =>
      [...words(after(column, e))].filter((word) => !has(before(column, e), word)).map((word) => [word, e]),
    ),
  );
}

const words = (text: string): ReadonlySet<string> => new Set(text.match(/w[a-z_]+_\d+_/g) ?? []);
const has = (text: string, word: string): boolean => text.includes(word);
const before = (column: string, e: Entry): string => (e.op === 'insert' ? '' : (beforeOf(e)[column] ?? ''));
const after = (column: string, e: Entry): string => patchOf(e)[column] ?? '';
