import { runScenario } from '@meridian/testkit';
import { readGolden } from '../golden/golden-file';
import { ARRIVALS, DELETE_POLICIES, OPERATIONS, pairScript } from '../golden/pairs';
import { randomScripts } from './random-scripts.js';
import { type RealRegions, useRegions } from './real-regions.js';
import { enrolScripted, parseScript, runScripts } from './scripted-rows.js';

const scenarios = readGolden('scenarios.txt')
  .trimEnd()
  .split(/\n(?=== )/)
  .slice(1)
  .map((block) => {
    const [title, ...lines] = block.split('\n') as [string, ...string[]];
    return { title: title.slice(3), commands: lines.join('\n').split('\n----')[0]! };
  });

/**
 * Of the order of records, and of what one says column by column, nothing is promised; a wall clock is what it is. A record
 * that is opened and withdrawn in one batch is never written, and what is one batch differs: none and a withdrawn one are the same.
 */
const comparable = (outcome: string): string[] =>
  outcome
    .split('\n')
    .filter((line) => !line.includes(', withdrawn: '))
    .map((line) => line.replace(/wall clock is -?\d+ ms/, 'wall clock is some ms'))
    .map((line) => line.replace(/(?<=, open: ).*/, (reasons) => reasons.split('. ').sort().join('. ')))
    .sort();

/** Differential: what the core alone makes of a script, and what relay, log, apply and PostgreSQL make of it. */
describe('the golden scenarios on real PostgreSQL', () => {
  let regions: RealRegions;
  let row = 0;
  useRegions(['us', 'eu', 'ap'], (opened) => enrolScripted((regions = opened)));

  it.each(scenarios)('$title', async ({ commands }) => {
    const [outcome] = await runScripts(regions, [parseScript(commands, ++row)]);
    expect(comparable(outcome!)).toEqual(comparable(runScenario(commands)));
  });

  it.each(ARRIVALS.map((atAp) => [atAp.join(', '), atAp] as const))(
    'I2, I3, I6, I7: every pair of concurrent writes, by every delete policy, ap having got %s',
    async (_, atAp) => {
      const texts = DELETE_POLICIES.flatMap((policy) =>
        OPERATIONS.flatMap((inUs) => OPERATIONS.map((inEu) => pairScript(inUs, inEu, policy, atAp))),
      );
      const outcomes = await runScripts(
        regions,
        texts.map((text) => parseScript(text, ++row)),
      );
      expect(texts.map((text, i) => [text, comparable(outcomes[i]!)])).toEqual(
        texts.map((text) => [text, comparable(runScenario(text))]),
      );
    },
  );

  const SEEDS = Number(process.env['MERIDIAN_RACES_SEEDS'] ?? 3);
  const FROM = Number(process.env['MERIDIAN_RACES_FROM'] ?? 1);
  const ROWS = 24;
  /** Where ticks of many rows arrive in another order than those of one, what a record has followed on its way differs. */
  const rowsOf = (outcome: string): string =>
    outcome
      .split('\n')
      .filter((line) => !line.includes(' records '))
      .join();

  it.each(Array.from({ length: SEEDS }, (_, i) => FROM + i))(
    'I2, I6, I7: rows written by random scripts of seed %i (again: MERIDIAN_RACES_FROM=<seed> MERIDIAN_RACES_SEEDS=1)',
    async (seed) => {
      const texts = randomScripts(seed, ROWS);
      const outcomes = await runScripts(
        regions,
        texts.map((text) => parseScript(text, ++row)),
      );
      expect(texts.map((text, i) => [text, rowsOf(outcomes[i]!)])).toEqual(
        texts.map((text) => [text, rowsOf(runScenario(text))]),
      );
    },
  );
});
