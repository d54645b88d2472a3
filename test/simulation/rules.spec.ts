import { simulate } from '@meridian/testkit';
import { MISTAKEN } from './mistaken-policies.js';
import { TAKEN_AWAY } from './sabotage.js';

describe('a rule of the design, taken away, is missed', () => {
  it.each([...TAKEN_AWAY, ...MISTAKEN])(
    '$rule',
    async ({ run, within }) => {
      let seed = 1;
      while (seed <= within && (await simulate(seed, run)).failure === null) seed++;
      expect(seed).toBeLessThanOrEqual(within);
      const intact = run.overrides === undefined ? {} : { overrides: run.overrides };
      expect((await simulate(seed, intact)).failure).toBeNull();
    },
    300_000,
  );
});
