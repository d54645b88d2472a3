import type { TableName } from '@meridian/core';
import { callOf } from '../call.builder.js';
import { MergeSandbox } from '../merge-sandbox.js';
import { checkMerge, type MergeCheck } from './check-merge.js';
import type { MergeSamples } from './sample-calls.js';

describe('a new merge function is checked', () => {
  let sandbox: MergeSandbox;
  beforeAll(() => (sandbox = new MergeSandbox()));
  afterAll(() => sandbox.close());

  const samplesOf = (type: string, ...recorded: MergeSamples['recorded']): MergeSamples => ({
    table: 'public.items' as TableName,
    columns: [{ name: 'v', type }],
    recorded,
  });
  const check = (source: string, samples = samplesOf('integer')): Promise<MergeCheck> =>
    checkMerge(sandbox, { name: 'new', version: 1, source }, samples, { slowestMicros: 50_000 });
  const codes = ({ problems, warnings }: MergeCheck): string[] => [...problems, ...warnings].map((f) => f.code);

  const LATEST = `export default (base, versions) =>
    versions.reduce((a, b) => (b.stamp > a.stamp || (b.stamp === a.stamp && b.origin > a.origin) ? b : a)).values`;

  it('and accepted when nothing is wrong with it', async () => {
    const checked = await check(LATEST);
    expect(checked).toMatchObject({ verdict: 'accepted', problems: [], warnings: [], samples: 200 });
  });

  it.each([
    ['takes the first version', 'export default (base, versions) => versions[0].values', 'order_matters'],
    [
      'forgets the tie of stamps',
      'export default (base, versions) => versions.reduce((a, b) => (b.stamp >= a.stamp ? b : a)).values',
      'order_matters',
    ],
    [
      'joins in the order given',
      'export default (base, versions) => ({ v: versions.map((x) => x.values.v).join() })',
      'order_matters',
    ],
    [
      'throws in one order only',
      'export default (base, [a, b]) => { if (a.origin > b.origin) throw new Error("eh"); return { v: null } }',
      'order_matters',
    ],
    ['does not parse', 'export default (', 'not_compiled'],
    ['exports no function', 'export const value = 1', 'not_compiled'],
    ['gives a number', 'export default (base, [a]) => ({ v: Number(a.values.v) })', 'wrong_result'],
    ['gives another column', 'export default (base, [a]) => ({ ...a.values, w: null })', 'wrong_result'],
    ['is too large', 'export default () => ({ v: "x".repeat(2e6) })', 'wrong_result'],
    ['loops', 'export default () => { for (;;); }', 'takes_too_much'],
    ['needs a clock', 'export default () => ({ v: String(Date.now()) })', 'always_throws'],
  ])('and refused when it %s', async (_what, source, code) => {
    const checked = await check(source);
    expect(checked.verdict).toBe('refused');
    expect(checked.problems.map((p) => p.code)).toContain(code);
  });

  it('and refused when it is slow', async () => {
    const source = `export default () => { for (let i = 0; i < 10_000; i++); return { v: '1' } }`;
    const checked = await checkMerge(sandbox, { name: 'slow', version: 1, source }, samplesOf('integer'), {
      slowestMicros: 10,
    });
    expect(checked.problems).toMatchObject([{ code: 'slow', detail: expect.stringMatching(/takes \d+ µs/) as string }]);
  });

  it('with a counterexample that shows both orders', async () => {
    const { problems } = await check('export default (base, versions) => versions[0].values');
    const [one, other] = problems[0]!.example;
    expect(one!.call.versions).not.toEqual(other!.call.versions);
    expect([...one!.call.versions].sort(byOrigin)).toEqual([...other!.call.versions].sort(byOrigin));
    expect(one!.outcome).toMatchObject({ kind: 'merged', values: one!.call.versions[0]!.values });
    expect(other!.outcome).toMatchObject({ kind: 'merged', values: other!.call.versions[0]!.values });
  });
  const byOrigin = (a: { origin: string }, b: { origin: string }) => (a.origin < b.origin ? -1 : 1);

  it('and warned of when merging in parts, or merging equals, gives something else', async () => {
    const sum = `export default (base, versions) => ({
      v: String(versions.reduce((sum, { values }) => sum + BigInt(values.v ?? 0), -BigInt(base?.v ?? 0))) })`;
    expect(codes(await check(sum, samplesOf('smallint', callOf('x', { v: '3' }, { v: '2' }, { v: '2' }))))).toEqual([
      'equal_versions_change',
      'grouping_matters',
    ]);
  });

  it('and warned of when it throws for some', async () => {
    const source = LATEST.replace(
      'versions.reduce',
      'versions.some((x) => x.values.v === null) ? null.x : versions.reduce',
    );
    const checked = await check(source);
    expect(checked.verdict).toBe('accepted');
    expect(codes(checked)).toContain('sometimes_throws');
  });

  it('on what has been recorded, too, and on its values where nothing is known of the type', async () => {
    const source = `export default (base, versions) => {
      if (versions[0].values.v === 'POINT(1 2)') throw new Error('seen');
      return { v: null };
    }`;
    const checked = await check(
      source,
      samplesOf('public.geometry', callOf('x', null, { v: 'POINT(1 2)' }, { v: 'POINT(3 4)' })),
    );
    expect(checked.problems).toMatchObject([
      { code: 'order_matters', example: [{ outcome: { because: 'threw' } }, {}] },
    ]);
  });

  it.each([
    'smallint',
    'bigint',
    'numeric(10,2)',
    'double precision',
    'boolean',
    'date',
    'timestamp(3) with time zone',
    'uuid',
    'jsonb',
    'text',
    'character varying(20)',
    'integer[]',
    'text[]',
  ])('with values of type %s', async (type) => {
    const checked = await check(
      'export default (base, versions) => ({ v: versions.map((x) => x.values.v).sort().join() })',
      samplesOf(type),
    );
    expect(checked.problems).toEqual([]);
    expect(codes(checked)).toContain('grouping_matters');
  });

  it('and leaves nothing behind in the sandbox', async () => {
    await check(LATEST);
    expect(await check(LATEST.replace('stamp >', 'stamp  >'))).toMatchObject({ verdict: 'accepted' });
    expect(sandbox.suspended()).toEqual([]);
  });
});
