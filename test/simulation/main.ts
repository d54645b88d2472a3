import { parseArgs } from 'node:util';
import { type Outcome, simulate } from '@meridian/testkit';

/*
 * npm run sim -- --seed 42              one seed, its trace and its outcome
 * npm run sim -- --seeds 5000 --from 1  many seeds; prints those that fail, and the rate
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

void (values.seed === undefined ? many(Number(values.from), Number(values.seeds)) : one(Number(values.seed)));

async function one(seed: number): Promise<void> {
  const outcome = await simulate(seed, { keepLines: values.trace });
  for (const line of outcome.lines) console.log(line);
  console.log(JSON.stringify(outcome.options));
  console.log(summaryOf(outcome));
  process.exitCode = outcome.failure === null ? 0 : 1;
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
