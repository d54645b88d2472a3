import type { MapPath, Values } from '@meridian/core';

/** What a new board holds beside its key and title. */
export const NEW_BOARD: Values = {
  ...{ note: 'none', draft: 'none', top: '0', low: '0', shown: 'true', pinned: 'false' },
  ...{ tags: '{a}', seen: '{a}', doc: '{"k": 1, "under": {"x": 1}}' },
  ...{ plan: '{"n": 1, "under": {"of": ["a"], "m": 1}, "most": 1, "first": 1}' },
  body: 'the quick brown fox',
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

/** The plan's paths. */
export const PLAN: readonly MapPath[] = [
  { path: ['n'], policy: { kind: 'counter' } },
  { path: ['under', 'm'], policy: { kind: 'counter' } },
  { path: ['under', 'of'], policy: { kind: 'set' } },
  { path: ['most'], policy: { kind: 'max', order: 'json' } },
  { path: ['first'], policy: { kind: 'first-write' } },
];

/** Counted on, put in, taken away, or something put there that is no number, no array, or stands in its way. */
export function editedPlan(text: string, draw: number): string {
  const plan = JSON.parse(text) as Record<string, unknown>;
  const under = plan['under'];
  const members = typeof under === 'object' && under !== null ? (under as Record<string, unknown>) : {};
  const of = Array.isArray(members['of']) ? (members['of'] as unknown[]) : [];
  const element = ['a', 'b', 2][draw % 3];
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0) + ((draw % 4) - 1.5);
  const edits: readonly (() => unknown)[] = [
    () => (plan['n'] = count(plan['n'])),
    () => (plan['n'] = count(plan['n'])),
    () => (plan['n'] = ['none', { x: draw }][draw % 2]),
    () => delete plan['n'],
    () => (plan['under'] = { ...members, m: count(members['m']) }),
    () =>
      (plan['under'] = { ...members, of: of.includes(element) ? of.filter((e) => e !== element) : [...of, element] }),
    () => (plan['under'] = { ...members, of: 'none' }),
    () => (plan['under'] = { ...members, other: draw }),
    () => (plan['under'] = draw),
    () => delete plan['under'],
    () => (plan['most'] = draw % 5 === 0 ? 'most' : draw),
    () => (plan['first'] = draw % 5 === 0 ? { first: draw } : draw),
    () => delete plan[draw % 2 === 0 ? 'most' : 'first'],
  ];
  edits[draw % edits.length]!();
  return JSON.stringify(plan);
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
