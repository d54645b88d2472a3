import { parseArgs } from 'node:util';
import type { CandidateName } from './candidates/candidate.js';

export interface Options {
  readonly quick: boolean;
  readonly rounds: number;
  /** Scenario numbers; empty: all. */
  readonly only: readonly number[];
  readonly candidates: readonly CandidateName[];
  readonly markdown: boolean;
  readonly keep: boolean;
  readonly port: number;
}

export const USAGE = `npm run bench -- [options]
  --quick               one short round: does it all work?
  --rounds N            alternating rounds (default 3)
  --only 1,6            these scenarios only (numbers as in the table)
  --candidates a,b      of raw, native, meridian (ratios need what they are to)
  --markdown            write docs/benchmark.md
  --keep                keep servers' and services' logs and data
  --port N              first of the ports used (default 27100)`;

const CANDIDATES: readonly CandidateName[] = ['raw', 'native', 'meridian'];

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', default: '' },
      candidates: { type: 'string', default: CANDIDATES.join(',') },
      markdown: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      port: { type: 'string', default: '27100' },
    },
  });
  const named = values.candidates.split(',');
  const unknown = named.find((name) => !CANDIDATES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`unknown candidate "${unknown}"; there are ${CANDIDATES.join(', ')}`);
  return {
    quick: values.quick,
    rounds: number('rounds', values.rounds ?? (values.quick ? '1' : '3')),
    only: values.only
      .split(',')
      .filter(Boolean)
      .map((id) => number('only', id)),
    candidates: CANDIDATES.filter((name) => named.includes(name)),
    markdown: values.markdown,
    keep: values.keep,
    port: number('port', values.port),
  };
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${option} takes a whole number from 1 on, not "${text}"`);
  return value;
}
