import { runScenario } from '@meridian/testkit';
import { expectGolden, readGolden } from './golden-file';

const FILE = 'scenarios.txt';
const [head, ...blocks] = readGolden(FILE).trimEnd().split(/\n(?=== )/) as [string, ...string[]];
const parted = blocks.map((block) => {
  const [title, ...lines] = block.split('\n') as [string, ...string[]];
  return { title, commands: lines.join('\n').split('\n----')[0]!.trimEnd() };
});

describe('scenarios', () => {
  it.each(parted)('$title', ({ title, commands }) => {
    const block = blocks.find((b) => b.startsWith(`${title}\n`))!;
    const told = `${title}\n${commands}\n----\n${runScenario(commands)}`;
    if (process.env['MERIDIAN_REWRITE'] !== '1') expect(told).toBe(block.trimEnd());
  });

  it('the file is as the runs write it', () => {
    const written = parted.map(({ title, commands }) => `${title}\n${commands}\n----\n${runScenario(commands)}\n`);
    expectGolden(FILE, [head, ...written].join('\n'));
  });
});
