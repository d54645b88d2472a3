import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TableName, Values } from '@meridian/core';
import { callOf } from '../call.builder.js';
import { MergeSandbox } from '../merge-sandbox.js';
import { checkMerge } from './check-merge.js';

const GUIDE = readFileSync(join(__dirname, '../../../../docs/guides/merge-functions.md'), 'utf8');

/** The code behind `<!-- example: name -->`. */
function example(name: string): string {
  const code = new RegExp(`<!-- example: ${name} -->\\n\`\`\`js\\n(.*?)\`\`\``, 's').exec(GUIDE)?.[1];
  if (code === undefined) throw new Error(`the guide has no example ${name}`);
  return code;
}

describe('the examples of the guide', () => {
  let sandbox: MergeSandbox;
  beforeAll(() => (sandbox = new MergeSandbox()));
  afterAll(() => sandbox.close());

  it.each([
    ['greatest', { name: 'qty', type: 'bigint' }],
    ['union', { name: 'profile', type: 'jsonb' }],
    ['sentences', { name: 'notes', type: 'text' }],
  ])('%s passes the check', async (name, column) => {
    const samples = { table: 'public.items' as TableName, columns: [column], recorded: [] };
    const checked = await checkMerge(sandbox, { name, version: 1, source: example(name) }, samples, {
      slowestMicros: 100_000,
    });
    expect(checked).toMatchObject({ verdict: 'accepted', problems: [] });
  });

  it.each<[string, Values | null, Values[], Values]>([
    [
      'greatest',
      { qty: '5' },
      [{ qty: '9007199254740993' }, { qty: null }, { qty: '9007199254740992' }],
      { qty: '9007199254740993' },
    ],
    [
      'union',
      { profile: '{"name": "A", "city": "Rom", "old": 1}' },
      [
        { profile: '{"name": "B", "city": "Rom"}' },
        { profile: '{"name": "C", "city": "Bern", "old": 1, "tags": [1]}' },
      ],
      { profile: '{"city":"Bern","name":"C","tags":[1]}' },
    ],
    [
      'sentences',
      { notes: 'Called. Paid.' },
      [{ notes: 'Called. Paid. Wrote a letter.' }, { notes: 'Called. Angry! Paid.' }],
      { notes: 'Called. Paid. Angry! Wrote a letter.' },
    ],
  ])('%s merges as it says', async (name, base, versions, result) => {
    await sandbox.compile(name, 1, example(name));
    expect(await sandbox.run([callOf(name, base, ...versions)])).toMatchObject([{ kind: 'merged', values: result }]);
  });
});
