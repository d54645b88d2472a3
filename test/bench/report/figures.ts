import type { CandidateName } from '../candidates/candidate.js';
import type { Outcome } from '../scenarios/scenario.js';

interface Row {
  readonly work: string;
  /** The scenario's name. */
  readonly scenario: string;
  /** What others reached on two cores, of earlier measurements; this run's own columns say what they do here. */
  readonly peers: string;
  readonly goal: string;
}

/** One row of the table. */
export type Figure = Row &
  (
    | {
        readonly kind: 'ratio';
        readonly metric: string;
        readonly to: CandidateName;
        readonly unit: string;
        readonly atLeast: number;
      }
    | {
        readonly kind: 'value';
        readonly metric: string;
        readonly unit: string;
        readonly atMost: number | null;
        readonly digits: number;
      }
    /** Of the same round: what the candidate has more than the other. */
    | {
        readonly kind: 'beyond';
        readonly metric: string;
        readonly than: CandidateName;
        readonly unit: string;
        readonly atMost: number;
      }
    | {
        readonly kind: 'verdict';
        readonly cell: (outcome: Outcome) => string;
        readonly reached: (outcome: Outcome) => boolean;
      }
  );

const equal = (outcome: Outcome): string =>
  outcome['different'] === 0 ? 'equal' : `${outcome['different']} rows differ`;
const isEqual = (outcome: Outcome): boolean => outcome['different'] === 0;

const writes = (work: string, scenario: string, peers: string, atLeast: number): Figure => ({
  kind: 'ratio',
  work,
  scenario,
  peers,
  metric: 'rate',
  to: 'raw',
  unit: '/s',
  goal: `${atLeast}`,
  atLeast,
});
const settles = (work: string, scenario: string, peers: string): Figure => ({
  kind: 'verdict',
  work,
  scenario,
  peers,
  goal: 'equal',
  cell: equal,
  reached: isEqual,
});
const catchUp = (work: string, scenario: string, peers: string, atLeast: number): Figure => ({
  kind: 'ratio',
  work,
  scenario,
  peers,
  metric: 'rate',
  to: 'native',
  unit: '/s',
  goal: `${atLeast} of native`,
  atLeast,
});
const latency = (rate: string, metric: string, peers: string, atMost: number | null): Figure => ({
  kind: 'value',
  work: `commit to visible in the other region, ${rate}, ${metric}`,
  scenario: `latency at ${rate.replace(',', '')}`,
  peers,
  metric,
  unit: ' ms',
  digits: 1,
  goal: atMost === null ? '' : `${atMost} ms`,
  atMost,
});
const increments = (regions: number, peers: string): Figure => ({
  kind: 'verdict',
  work: `increments lost of those acknowledged, 10 counters, ${regions} regions`,
  scenario: `increments, ${regions} regions`,
  peers,
  goal: 'none',
  cell: (o) => (o['lost'] === 0 ? 'none' : `${o['lostPercent']!.toFixed(1)} %`),
  reached: (o) => o['lost'] === 0,
});
const inTurn = (work: string, scenario: string, peers: string): Figure => ({
  kind: 'verdict',
  work,
  scenario,
  peers,
  goal: '0, equal',
  cell: (o) => `${o['conflicts']}, ${equal(o)}${o['seen'] === 40 ? '' : `, stopped after ${o['seen']}`}`,
  reached: (o) => o['conflicts'] === 0 && isEqual(o) && o['seen'] === 40,
});
const inserted = (what: string, peers: string): Figure => ({
  kind: 'verdict',
  work: `the ${what} inserted in two regions`,
  scenario: what,
  peers,
  goal: 'goes on, equal, recorded',
  cell: (o) => (o['goesOn'] ? `goes on, ${equal(o)}, ${o['conflicts'] ? 'recorded' : 'not recorded'}` : 'halts'),
  reached: (o) => o['goesOn'] === 1 && isEqual(o) && (o['conflicts'] ?? 0) > 0,
});

const [TWO, THREE] = ['replicated writes, 2 regions', 'replicated writes, 3 regions'];
const [MIXED_TWO, MIXED_THREE] = [2, 3].map((n) => `replicated writes with 1 % on shared rows, ${n} regions`) as [
  string,
  string,
];

export const figures: readonly Figure[] = [
  writes(
    'local single-row writes while replicating',
    'local writes',
    'native 0.54, pglogical 0.68, Spock 0.64, Bucardo 0.28',
    0.5,
  ),
  writes('replicated writes until all are equal, two regions', TWO, 'native 0.52, Spock 0.69, Bucardo 0.21', 0.4),
  writes('the same, three regions', THREE, 'native 0.37, pglogical 0.43', 0.25),
  writes('with 1 % of the writes on 100 shared rows, two regions', MIXED_TWO, 'native 0.56, pglogical 0.66', 0.35),
  settles('… and afterwards', MIXED_TWO, ''),
  { ...writes('the same, three regions', MIXED_THREE, '', 0), goal: '' },
  settles('… and afterwards', MIXED_THREE, 'native never equal'),
  {
    kind: 'verdict',
    work: 'rows of 100 that differ after a healed 5 s partition',
    scenario: 'partition',
    peers: 'native 79',
    goal: '0',
    cell: (o) => `${o['different']}${o['healed'] ? '' : ', not healed'}`,
    reached: (o) => isEqual(o) && o['healed'] === 1,
  },
  catchUp('catch-up after a stop, one-row transactions', 'catch-up of one-row transactions', 'native 17,700/s', 0.8),
  catchUp(
    'catch-up after a stop, 2,000-row transactions',
    'catch-up of 2,000-row transactions',
    'native 29,900/s',
    0.6,
  ),
  latency('200/s', 'p50', 'native 1.2, Spock 0.9, Bucardo 344', 6),
  latency('200/s', 'p95', '', null),
  latency('200/s', 'p99', 'native 2.4, Spock 2.9, Bucardo 719', 25),
  latency('2,000/s', 'p50', '', null),
  latency('2,000/s', 'p95', '', null),
  latency('2,000/s', 'p99', '', null),
  increments(2, 'native 55 %, pglogical 49 %, Spock 57 %'),
  increments(3, 'native 78 %, pglogical 74 %, Spock 71 %'),
  inTurn('conflicts reported for 40 updates strictly in turn', 'updates in turn', 'native 40, pglogical 39, Spock 0'),
  inTurn('the same, one clock 5 s behind', 'updates in turn, one clock behind', 'pglogical diverges'),
  {
    kind: 'verdict',
    work: 'different columns of one row updated in two regions',
    scenario: 'different columns of one row',
    peers: 'native diverges, the others lose one',
    goal: 'both kept',
    cell: (o) => (o['kept'] === 1 ? 'both kept' : isEqual(o) ? 'one lost' : 'diverges'),
    reached: (o) => o['kept'] === 1,
  },
  inserted('same unique value', 'native and Bucardo halt, Spock diverges'),
  inserted('same primary key', 'native halts'),
  {
    kind: 'beyond',
    work: 'CPU per replicated change beyond the local write',
    scenario: TWO,
    peers: 'native 0.18 ms, Bucardo 1.22 ms',
    metric: 'cpuMs',
    than: 'raw',
    unit: ' ms',
    goal: '0.5 ms',
    atMost: 0.5,
  },
  {
    kind: 'ratio',
    work: 'REST single-row writes against raw writes',
    scenario: 'REST writes',
    peers: '',
    metric: 'rate',
    to: 'raw',
    unit: '/s',
    goal: '0.35',
    atLeast: 0.35,
  },
  {
    kind: 'ratio',
    work: 'one UPDATE of 10,000 rows',
    scenario: 'bulk statements',
    peers: '',
    metric: 'updateRate',
    to: 'raw',
    unit: ' rows/s',
    goal: '0.25',
    atLeast: 0.25,
  },
  {
    kind: 'ratio',
    work: 'COPY of 50,000 rows',
    scenario: 'bulk statements',
    peers: '',
    metric: 'copyRate',
    to: 'raw',
    unit: ' rows/s',
    goal: '0.4',
    atLeast: 0.4,
  },
  {
    kind: 'value',
    work: 'resident memory of a service under this load',
    scenario: TWO,
    peers: '',
    metric: 'residentMb',
    unit: ' MB',
    digits: 0,
    goal: '300 MB',
    atMost: 300,
  },
  {
    kind: 'value',
    work: 'log on disk per change, indexes included',
    scenario: TWO,
    peers: '',
    metric: 'logBytes',
    unit: ' bytes',
    digits: 0,
    goal: '',
    atMost: null,
  },
];
