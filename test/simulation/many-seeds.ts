import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SEEDS = Number(process.env['MERIDIAN_SIM_SEEDS'] ?? 5_000);
const FROM = Number(process.env['MERIDIAN_SIM_FROM'] ?? 1);
const AT_A_TIME = 500;
/** Files that take turns at the portions, so that each core has its share. */
const SHARES = 2;

/** `npm run sim`, as built: twice as fast as under jest (measured), and a failure says what to type to see it again. */
const SIM = join(__dirname, '../../dist/test/simulation/main.js');

export function holdsOnShare(share: number): void {
  const portions = Array.from({ length: Math.ceil(SEEDS / AT_A_TIME) }, (_, i) => FROM + i * AT_A_TIME);

  it.each(portions.filter((_, i) => i % SHARES === share))(
    'holds I1 to I7 on the seeds from %i',
    async (first) => {
      const count = Math.min(AT_A_TIME, FROM + SEEDS - first);
      const args = ['--enable-source-maps', SIM, '--seeds', `${count}`, '--from', `${first}`];
      const { stdout } = await promisify(execFile)(process.execPath, args).catch(
        (error: Error & { readonly stdout?: string }) => ({ stdout: error.stdout ?? error.message }),
      );
      expect(stdout).toMatch(new RegExp(`^${count} of ${count} seeds hold`));
    },
    600_000,
  );
}
