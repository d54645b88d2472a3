import type { CandidateName } from '../candidates/candidate.js';
import { spread } from '../measure/spread.js';
import type { Results } from '../run.js';
import type { Outcome } from '../scenarios/scenario.js';
import { type Figure, figures } from './figures.js';

export interface TableRow {
  readonly work: string;
  readonly peers: string;
  readonly goal: string;
  readonly cells: Readonly<Record<CandidateName, string>>;
  /** Meridian's; undefined where there is no goal or no figure. */
  readonly reached: boolean | undefined;
}

interface Cell {
  readonly text: string;
  readonly reached: boolean | undefined;
}

const NONE: Cell = { text: '', reached: undefined };

export function tableOf(results: Results): readonly TableRow[] {
  return figures
    .filter(({ scenario }) => results.has(scenario))
    .map((figure) => {
      const of = (candidate: CandidateName): Cell => cell(figure, candidate, results);
      const meridian = of('meridian');
      const cells = { raw: of('raw').text, native: of('native').text, meridian: meridian.text };
      return {
        work: figure.work,
        peers: figure.peers,
        goal: figure.goal,
        cells,
        reached: figure.goal === '' ? undefined : meridian.reached,
      };
    });
}

function cell(figure: Figure, candidate: CandidateName, results: Results): Cell {
  const outcomes = results.get(figure.scenario)?.[candidate] ?? [];
  switch (figure.kind) {
    case 'verdict':
      return verdict(figure, candidate, outcomes);
    case 'value':
      return value(
        outcomes.map((outcome) => outcome[figure.metric]),
        figure.digits,
        figure.unit,
        figure.atMost,
      );
    case 'beyond': {
      if (candidate === figure.than) return NONE;
      const others = results.get(figure.scenario)?.[figure.than] ?? [];
      const beyond = outcomes.map((outcome, round) =>
        difference(outcome[figure.metric], others[round]?.[figure.metric]),
      );
      return value(beyond, 2, figure.unit, figure.atMost);
    }
    case 'ratio':
      return ratio(figure, candidate, outcomes, results.get(figure.scenario)?.[figure.to] ?? []);
  }
}

function verdict(figure: Figure & { kind: 'verdict' }, candidate: CandidateName, outcomes: readonly Outcome[]): Cell {
  const told = outcomes.filter((outcome) => Object.keys(outcome).length > 0);
  if (candidate === 'raw' || told.length === 0) return NONE;
  return { text: [...new Set(told.map(figure.cell))].join('; '), reached: told.every(figure.reached) };
}

function value(values: readonly (number | undefined)[], digits: number, unit: string, atMost: number | null): Cell {
  const found = spread(values.filter((each) => each !== undefined));
  if (!found) return NONE;
  const text = `${found.median.toFixed(digits)}${unit}${range(found, digits)}`;
  return { text, reached: atMost === null ? undefined : found.median <= atMost };
}

function ratio(
  figure: Figure & { kind: 'ratio' },
  candidate: CandidateName,
  outcomes: readonly Outcome[],
  to: readonly Outcome[],
): Cell {
  const rates = outcomes.map((outcome) => outcome[figure.metric]);
  const absolute = spread(rates.filter((rate) => rate !== undefined));
  if (!absolute) return NONE;
  const perSecond = `${Math.round(absolute.median).toLocaleString('en-GB')}${figure.unit}`;
  const ratios = spread(
    rates.map((rate, round) => quotient(rate, to[round]?.[figure.metric])).filter((each) => each !== undefined),
  );
  if (candidate === figure.to || !ratios) return { text: perSecond, reached: undefined };
  return {
    text: `${ratios.median.toFixed(2)}${range(ratios, 2)}, ${perSecond}`,
    reached: ratios.median >= figure.atLeast,
  };
}

function range({ min, max, count }: { min: number; max: number; count: number }, digits: number): string {
  return count === 1 ? '' : ` (${min.toFixed(digits)}..${max.toFixed(digits)})`;
}

function difference(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one - other;
}

function quotient(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined || other === 0 ? undefined : one / other;
}
