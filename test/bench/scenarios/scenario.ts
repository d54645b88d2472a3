import type { CandidateName, Leg, Setting } from '../candidates/candidate.js';

/** What one leg measured. Ratios are made later, between the legs of one round. */
export type Outcome = Readonly<Record<string, number>>;

export interface Pace {
  /** How long load is applied. */
  readonly seconds: number;
  /** Backlogs and other fixed amounts are this part of their full size. */
  readonly scale: number;
}

export interface Scenario {
  /** As in `--only 1,6`; scenarios may share one. */
  readonly id: number;
  readonly name: string;
  readonly candidates: readonly CandidateName[];
  /** A question of right or wrong, not of speed: one round says it. */
  readonly once: boolean;
  readonly setting: Setting;
  readonly run: (leg: Leg, pace: Pace) => Promise<Outcome>;
}

export const ALL: readonly CandidateName[] = ['raw', 'native', 'meridian'];
export const REPLICATING: readonly CandidateName[] = ['native', 'meridian'];
