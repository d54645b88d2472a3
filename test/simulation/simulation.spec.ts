import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SimulationOptions, simulate } from '@meridian/testkit';
import { holdsOnShare } from './many-seeds.js';

interface KeptSeed {
  readonly seed: number;
  readonly overrides?: Partial<SimulationOptions>;
  /** What it found once. */
  readonly found: string;
}

const keptIn = join(__dirname, 'seeds');
const kept = readdirSync(keptIn).flatMap((file) => JSON.parse(readFileSync(join(keptIn, file), 'utf8')) as KeptSeed[]);

describe('the simulation', () => {
  // I1 to I7; the other share is a file of its own, for another core.
  holdsOnShare(0);

  it.each(kept)('still holds on seed $seed: $found', async ({ seed, overrides }) => {
    const outcome = await simulate(seed, overrides === undefined ? {} : { overrides });
    expect(outcome.failure).toBeNull();
  });

  it('runs a seed twice with the same trace', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const [once, again] = [await simulate(seed), await simulate(seed)];
      expect({ seed, trace: again.traceHash, steps: again.steps }).toEqual({
        seed,
        trace: once.traceHash,
        steps: once.steps,
      });
    }
  }, 120_000);
});
