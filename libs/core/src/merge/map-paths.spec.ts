import { entry } from '../change/change.builder.js';
import { patchOf } from '../change/change.js';
import type { Entry } from '../causality/coverage.js';
import { resolve } from '../conflict/resolve.js';
import { itemsSpec } from '../conflict/row.builder.js';
import type { MapPath } from '../policy/table-policy.js';

const PATHS: readonly MapPath[] = [
  { path: ['stock'], policy: { kind: 'counter' } },
  { path: ['tags'], policy: { kind: 'set' } },
  { path: ['profile'], policy: { kind: 'first-write' } },
  { path: ['profile', 'rank'], policy: { kind: 'region-priority', regions: ['eu'] } },
  { path: ['price'], policy: { kind: 'max', order: 'json' } },
  { path: ['low'], policy: { kind: 'min', order: 'json' } },
  { path: ['on'], policy: { kind: 'flag', wins: 'enable' } },
  { path: ['asked'], policy: { kind: 'manual' } },
  { path: ['in', 'stock'], policy: { kind: 'counter' } },
];
const spec = { ...itemsSpec(), registers: [{ columns: ['x'], policy: { kind: 'map' as const, paths: PATHS } }] };

const write = (origin: string, id: number, before: unknown, after: unknown): Entry =>
  entry(origin, id, {
    ...{ seq: 1, deps: {} },
    patch: { x: JSON.stringify(after) },
    before: { x: JSON.stringify(before) },
  });

/** us writes first by stamp, then eu; decided in either order. */
function decided(before: unknown, inUs: unknown, inEu: unknown): { readonly doc: unknown; readonly reasons: string[] } {
  const [us, eu] = [write('us', 1, before, inUs), write('eu', 2, before, inEu)];
  const [one, other] = [
    [us, eu],
    [eu, us],
  ].map(([here, arriving]) => resolve(spec, arriving!, [here!], { id: '1', x: patchOf(here!)['x']! }));
  expect(JSON.parse(other!.values['x']!)).toEqual(JSON.parse(one!.values['x']!));
  const lost = (r: typeof one): string[] =>
    r!.verdicts.flatMap((v) => v.losers.map((e) => `${(v.part ?? []).join('.')} ${v.policy.kind} ${e.origin}`));
  expect(lost(other)).toEqual(lost(one));
  return { doc: JSON.parse(one!.values['x']!) as unknown, reasons: lost(one) };
}

describe('a map decides each leaf by the policy of its path', () => {
  it.each([
    ['a counter adds what each changed', { stock: 10 }, { stock: 11.5 }, { stock: 7 }, { stock: 8.5 }, []],
    ['two that count from nothing add up', {}, { stock: 2 }, { stock: 3 }, { stock: 5 }, []],
    ['a counter that is taken away counts down by what it was', { stock: 10 }, {}, { stock: 13 }, { stock: 3 }, []],
    [
      'a text beside a count is none',
      { stock: 10 },
      { stock: 11 },
      { stock: 'many' },
      { stock: 1 },
      ['stock counter eu'],
    ],
    ['a set keeps what either adds', { tags: ['a'] }, { tags: ['a', 'b'] }, { tags: [1] }, { tags: ['b', 1] }, []],
    [
      'the first write, also below the path',
      { profile: {} },
      { profile: { n: 1 } },
      { profile: { n: 2 } },
      { profile: { n: 1 } },
      ['profile.n first-write eu'],
    ],
    [
      'the nearest path',
      { profile: { rank: 0 } },
      { profile: { rank: 1 } },
      { profile: { rank: 2 } },
      { profile: { rank: 2 } },
      ['profile.rank region-priority us'],
    ],
    ['the greatest', { price: 1 }, { price: 10 }, { price: 9 }, { price: 10 }, ['price max eu']],
    [
      'the greatest, and a text is less than any',
      { price: 1 },
      { price: 2 },
      { price: 'z' },
      { price: 2 },
      ['price max eu'],
    ],
    ['the least, which a text is not', { low: 5 }, { low: 3 }, { low: 'a' }, { low: 3 }, ['low min eu']],
    ['enabled by either', { on: null }, { on: true }, { on: false }, { on: true }, ['on flag eu']],
    ['for a person to decide', { asked: 0 }, { asked: 1 }, { asked: 2 }, { asked: 2 }, ['asked manual us']],
    ['any other by stamp', { other: 0 }, { other: 1 }, { other: 2 }, { other: 2 }, ['other map us']],
    ['whether it is there goes by stamp', { price: 5 }, { price: 9 }, {}, {}, ['price max us']],
    [
      'a counter stays, though what it is part of was replaced',
      { in: { stock: 1 } },
      { in: { stock: 3 } },
      { in: 0 },
      { in: { stock: 2 } },
      ['in map eu'],
    ],
  ])('%s', (_what, before, inUs, inEu, doc, reasons) => {
    expect(decided(before, inUs, inEu)).toEqual({ doc, reasons });
  });
});
