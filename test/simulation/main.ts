import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { type Outcome, simulate } from '@meridian/testkit';

/*
 * npm run sim -- --seed 42              one seed, its trace and its outcome
 * npm run sim -- --seeds 5000 --from 1  many seeds; prints those that fail, and the rate
 * npm run sim -- --seeds 10000 --jobs 2 the same on two cores, as every night
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const [from, seeds, jobs] = [Number(values.from), Number(values.seeds), Number(values.jobs)];
void (values.seed !== undefined ? one(Number(values.seed)) : jobs > 1 ? shared(from, seeds, jobs) : many(from, seeds));

async function one(seed: number): Promise<void> {
  const outcome = await simulate(seed, { keepLines: values.trace });
  for (const line of outcome.lines) console.log(line);
  console.log(JSON.stringify(outcome.options));
  console.log(summaryOf(outcome));
  process.exitCode = outcome.failure === null ? 0 : 1;
}

/** One process for each core: a run keeps one busy. */
async function shared(from: number, count: number, jobs: number): Promise<void> {
  const share = Math.ceil(count / jobs);
  const ends = Array.from({ length: jobs }, async (_, i) => {
    const begin = i * share;
    const args = ['--from', `${from + begin}`, '--seeds', `${Math.max(0, Math.min(share, count - begin))}`];
    const [code] = (await once(fork(__filename, args), 'exit')) as [number | null];
    return code === 0;
  });
  process.exitCode = (await Promise.all(ends)).every(Boolean) ? 0 : 1;
}

async function many(from: number, count: number): Promise<void> {
  const began = process.hrtime.bigint();
  const failed: number[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed);
    if (outcome.failure === null) continue;
    failed.push(seed);
    if (failed.length <= 40) console.log(`${summaryOf(outcome)}\n  npm run sim -- --seed ${seed}`);
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(`${count - failed.length} of ${count} seeds hold, ${(count / seconds).toFixed(0)} seeds/s`);
  if (failed.length > 40) console.log(`failed: ${failed.join(' ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function summaryOf({ seed, failure, traceHash, steps, virtualMicros, conflicts }: Outcome): string {
  const run = `${steps} steps, ${(virtualMicros / 1e6).toFixed(2)} s of virtual time, ${conflicts} conflicts, trace ${traceHash}`;
  return `seed ${seed}: ${run}: ${failure === null ? 'all invariants hold' : (failure.stack ?? failure.message)}`;
}
