import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, type SimulationOptions, simulate } from '@meridian/testkit';

interface KeptSeed {
  readonly seed: number;
  readonly overrides?: Partial<SimulationOptions>;
  /** What it found once. */
  readonly found: string;
}

const SEEDS = Number(process.env['MERIDIAN_SIM_SEEDS'] ?? 5_000);
const FROM = Number(process.env['MERIDIAN_SIM_FROM'] ?? 1);
const AT_A_TIME = 500;

const keptIn = join(__dirname, 'seeds');
const kept = readdirSync(keptIn).flatMap((file) => JSON.parse(readFileSync(join(keptIn, file), 'utf8')) as KeptSeed[]);

/** What to type to see it again. */
const replay = ({ seed, failure }: Outcome): string => `npm run sim -- --seed ${seed}\n${failure?.message}`;

describe('the simulation', () => {
  const chunks = Array.from({ length: Math.ceil(SEEDS / AT_A_TIME) }, (_, i) => FROM + i * AT_A_TIME);

  it.each(chunks)(
    'holds I1 to I7 on the seeds from %i',
    async (first) => {
      const failed: string[] = [];
      for (let seed = first; seed < Math.min(first + AT_A_TIME, FROM + SEEDS); seed++) {
        const outcome = await simulate(seed);
        if (outcome.failure !== null) failed.push(replay(outcome));
      }
      expect(failed).toEqual([]);
    },
    600_000,
  );

  it.each(kept)('still holds on seed $seed: $found', async ({ seed, overrides }) => {
    const outcome = await simulate(seed, overrides === undefined ? {} : { overrides });
    expect(outcome.failure).toBeNull();
  });

  it('runs a seed twice with the same trace', async () => {
    for (let seed = FROM; seed < FROM + 20; seed++) {
      const [once, again] = [await simulate(seed), await simulate(seed)];
      expect({ seed, trace: again.traceHash, steps: again.steps }).toEqual({
        seed,
        trace: once.traceHash,
        steps: once.steps,
      });
    }
  }, 120_000);
});
