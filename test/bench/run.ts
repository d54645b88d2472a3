import type { Candidate, CandidateName, Leg } from './candidates/candidate.js';
import type { Outcome, Pace, Scenario } from './scenarios/scenario.js';
import type { ServerPool } from './servers.js';

/** By scenario's name, by candidate: one outcome a round. */
export type Results = ReadonlyMap<string, Readonly<Partial<Record<CandidateName, readonly Outcome[]>>>>;

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly candidates: readonly Candidate[];
  readonly rounds: number;
  readonly pace: Pace;
}

/**
 * Every scenario in turn, its candidates one after another, round after round (A B C A B C …): what the machine does
 * besides, and how warm it is, meets all candidates alike. A leg that fails leaves a hole in the table and its reason on
 * stderr; the others go on.
 */
export async function runPlan(plan: Plan, pool: ServerPool): Promise<Results> {
  const results = new Map<string, Partial<Record<CandidateName, Outcome[]>>>();
  for (const scenario of plan.scenarios) {
    const of: Partial<Record<CandidateName, Outcome[]>> = {};
    results.set(scenario.name, of);
    for (let round = 1; round <= (scenario.once ? 1 : plan.rounds); round++) {
      for (const candidate of plan.candidates.filter(({ name }) => scenario.candidates.includes(name))) {
        const outcome = await runLeg(scenario, candidate, plan.pace, pool);
        (of[candidate.name] ??= []).push(outcome);
        console.error(`${scenario.id} ${scenario.name} | ${candidate.name} ${round} | ${show(outcome)}`);
      }
    }
  }
  return results;
}

async function runLeg(scenario: Scenario, candidate: Candidate, pace: Pace, pool: ServerPool): Promise<Outcome> {
  let leg: Leg | undefined;
  try {
    leg = await candidate.start(pool, scenario.setting);
    return await scenario.run(leg, pace);
  } catch (error) {
    console.error(`${scenario.name}, ${candidate.name}: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  } finally {
    await leg?.stop();
  }
}

function show(outcome: Outcome): string {
  return Object.entries(outcome)
    .map(([metric, value]) => `${metric} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
