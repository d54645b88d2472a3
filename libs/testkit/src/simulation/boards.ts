import type { Values } from '@meridian/core';

/** What a new board holds beside its key and title. */
export const NEW_BOARD: Values = {
  ...{
    note: 'none',
    top: '0',
    shown: 'true',
    tags: '{a}',
    seen: '{a}',
    doc: '{"k": 1, "under": {"x": 1}}',
    body: 'the quick brown fox',
  },
};

/** The element put in, in front, or taken out. */
export function toggled(array: string, element: string): string {
  const elements = array
    .slice(1, -1)
    .split(',')
    .filter((e) => e !== '');
  const without = elements.filter((e) => e !== element);
  return `{${(without.length < elements.length ? without : [element, ...elements]).join(',')}}`;
}

/** A word put in, put in the place of another, or taken out, somewhere. */
export function editedText(text: string, draw: number, word: string): string {
  const words = text.split(' ');
  const place = draw % (words.length + 1);
  const [remove, ...insert] = [[0, word], [0, word], [1, word], [1]][draw % 4] as [number, ...string[]];
  return words.toSpliced(place, remove, ...insert).join(' ');
}

/** A leaf set or taken away, an object put where a leaf was, or the reverse. */
export function editedDocument(text: string, draw: number): string {
  const doc = JSON.parse(text) as Record<string, unknown>;
  const under = doc['under'];
  const members = typeof under === 'object' && under !== null ? (under as Record<string, unknown>) : {};
  const edits: readonly (() => unknown)[] = [
    () => (doc['k'] = draw),
    () => delete doc['k'],
    () => (doc['l'] = [draw, { x: draw }]),
    () => (doc['under'] = { ...members, x: draw }),
    () => (doc['under'] = { ...members, y: { z: draw } }),
    () => (doc['under'] = draw),
    () => delete doc['under'],
  ];
  edits[draw % edits.length]!();
  return JSON.stringify(doc);
}
