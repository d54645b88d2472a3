import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type LoadResult, pgbench } from '../measure/pgbench.js';
import { warmUp } from '../measure/warm-up.js';
import { base } from '../schema.js';
import type { Scenario } from './scenario.js';

const LOAD = join(__dirname, '..', 'measure', 'http-load.js');

/** One row a request through the whole service, against one row a transaction straight into PostgreSQL. */
export const restWrites: Scenario = {
  id: 12,
  name: 'REST writes',
  candidates: ['raw', 'meridian'],
  once: false,
  setting: { regions: 2, tables: ['bench'] },
  run: async (leg, { seconds }) => {
    const address = leg.rest(0);
    const load = (seconds: number): Promise<LoadResult> =>
      address === undefined
        ? pgbench(leg.regions[0]!, { script: 'update-own.sql', clients: 8, seconds, variables: { base: base(0) } })
        : restLoad(address, seconds);
    await warmUp(leg, load);
    const done = await load(seconds);
    return { rate: done.acknowledged / done.seconds };
  },
};

async function restLoad(address: string, seconds: number): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, new URL(address).port, '8', `${seconds}`]);
  const result = JSON.parse(stdout) as LoadResult & { refused: number };
  if (result.refused > 0) throw new Error(`${result.refused} of the REST writes were refused`);
  return result;
}
