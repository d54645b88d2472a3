import type { DeletePolicy, RegisterPolicy } from '@meridian/core';
import { Prng } from './prng.js';
import type { Micros } from './scheduler.js';

/** Everything about a run that the seed chooses; a kept seed may override some of it. */
export interface SimulationOptions {
  readonly regions: readonly string[];
  readonly order: RegisterPolicy;
  readonly delete: DeletePolicy;
  /** Rows of each kind: few, so that writers meet. */
  readonly rows: number;
  readonly writers: number;
  /** Bursts of writes, each followed by a quiet spell in which all regions are compared: else later writes cover a divergence. */
  readonly bursts: number;
  readonly burst: Micros;
  readonly think: Micros;
  readonly deletes: number;
  readonly unique: boolean;
  readonly family: boolean;
  readonly transfers: boolean;
  readonly rollbacks: number;
  readonly stallChance: number;
  readonly longestStall: Micros;
  readonly relayEvery: Micros;
  readonly batchTicks: number;
  readonly partition: number;
  readonly loss: number;
  readonly duplication: number;
  readonly longestDelay: Micros;
  readonly cuts: boolean;
  readonly crashes: boolean;
  readonly twoAppliers: boolean;
  /** Largest difference of a region's clock, and whether clocks jump. */
  readonly skew: Micros;
  readonly clockJumps: boolean;
  /** Of items' counter, whose type's range this is; null: it has none. */
  readonly greatestCount: number | null;
  /** A table is un-enrolled and enrolled again, under its writers and with ticks on their way. */
  readonly enrolments: boolean;
  /** A table with a column of every policy that goes by values, or merges them. */
  readonly boards: boolean;
  /** Its policy changes while it is written to. */
  readonly policies: boolean;
  /** Of its title. */
  readonly title: RegisterPolicy;
  /** A table with a bounded counter. */
  readonly stocks: boolean;
}

/** Swarm: every seed leaves some faults and some kinds of work out, so that the others are met in company of their own. */
export function optionsOf(seed: number, overrides: Partial<SimulationOptions> = {}): SimulationOptions {
  const r = Prng.of(seed, 'options');
  return {
    regions: r.chance(0.2) ? ['ap', 'eu'] : r.chance(0.8) ? ['ap', 'eu', 'us'] : ['ap', 'eu', 'sa', 'us'],
    order: r.chance(0.6) ? { kind: 'hlc' } : { kind: 'lww', column: null },
    delete: r.pick(['update-wins', 'delete-wins', 'by-stamp']),
    rows: r.between(1, 3),
    writers: r.pick([1, 1, 2, 3]),
    bursts: r.between(1, 3),
    burst: r.spread(2_000, 12_000),
    think: r.spread(500, 3_000),
    deletes: r.pick([0, 0.1, 0.25, 0.4]),
    unique: r.chance(0.5),
    family: r.chance(0.4),
    transfers: r.chance(0.5),
    rollbacks: r.pick([0, 0.1, 0.3]),
    stallChance: r.pick([0, 0.01, 0.05]),
    longestStall: r.pick([2_000, 20_000, 200_000]),
    relayEvery: r.spread(500, 8_000),
    batchTicks: r.pick([1, 3, 20]),
    partition: r.pick([1, 4, 16]),
    loss: r.pick([0, 0, 0.05, 0.2]),
    duplication: r.pick([0, 0.1, 0.3]),
    longestDelay: r.spread(500, 30_000),
    cuts: r.chance(0.3),
    crashes: r.chance(0.3),
    twoAppliers: r.chance(0.2),
    skew: r.pick([0, 5_000, 60_000_000]),
    clockJumps: r.chance(0.3),
    enrolments: r.chance(0.3),
    greatestCount: r.pick([null, 5]),
    boards: r.chance(0.5),
    policies: r.chance(0.4),
    title: r.pick<RegisterPolicy>([
      { kind: 'first-write' },
      { kind: 'region-priority', regions: ['eu', 'us'] },
      { kind: 'manual' },
    ]),
    stocks: r.chance(0.4),
    ...overrides,
  };
}
