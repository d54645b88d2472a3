import { type MergeCall, type RegionId, type RowKey, type TableName } from '@meridian/core';
import { MergeSandbox } from '@meridian/merge-sandbox';
import { spread } from './measure/spread.js';

/*
 * What a merge function in the sandbox costs: `node infra/bootstrap/run.mjs bench-merge`. The figures in
 * docs/guides/merge-functions.md are from here.
 */
const MAX = `export default function merge(base, versions) {
  let best = null;
  for (const { values } of versions) if (best === null || BigInt(values.qty) > BigInt(best)) best = values.qty;
  return { qty: best };
}`;
const ENDLESS = {
  'an endless loop': 'for (;;);',
  'an endless regex': '/(a+)+b/.test("a".repeat(60))',
  'memory by strings': 'const k = []; for (;;) k.push("x".repeat(1e6) + k.length)',
  'an endless builtin': 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
};
const MEASURED_CALLS = 20_000;
const WARM_UP_CALLS = 20_000;
const ATTACKS_EACH = 5;

async function bench(): Promise<void> {
  const sandbox = new MergeSandbox();
  const before = megabytes();
  await sandbox.compile('max', 1, MAX);
  await sandbox.ready();
  console.log(`memory: ${(megabytes() - before).toFixed(0)} MB for the thread in use and two that stand by`);
  for (let i = 0; i < WARM_UP_CALLS / 1_000; i++) await sandbox.run(callsOf('max', 1_000));
  for (const size of [1, 100, 1_000])
    console.log(`${size} calls at a time: ${(await microsACall(sandbox, size)).toFixed(0)} µs a call`);
  const warm = megabytes();
  let peak = warm;
  const looking = setInterval(() => (peak = Math.max(peak, megabytes())), 1);
  for (const [what, body] of Object.entries(ENDLESS)) await attack(sandbox, what, body);
  console.log(`memory: ${(peak - warm).toFixed(0)} MB more at its peak than before these attacks`);
  clearInterval(looking);
  await sandbox.close();
}

/** Of the median message: what else the machine does meets few of them. */
async function microsACall(sandbox: MergeSandbox, size: number): Promise<number> {
  const calls = callsOf('max', size);
  const took: number[] = [];
  for (let i = 0; i < MEASURED_CALLS / Math.max(size, 10); i++) {
    const start = performance.now();
    await sandbox.run(calls);
    took.push(((performance.now() - start) * 1_000) / size);
  }
  return spread(took)!.median;
}

/** How much longer a hundred honest rows take when one call among them is of this kind. */
async function attack(sandbox: MergeSandbox, what: string, body: string): Promise<void> {
  const honest = callsOf('max', 100);
  const delays: number[] = [];
  for (let i = 0; i < ATTACKS_EACH; i++) {
    const name = `${what} ${i}`;
    await sandbox.compile(name, 1, `export default () => { ${body} }`);
    await sandbox.ready();
    await sandbox.run(honest);
    const start = performance.now();
    await sandbox.run(honest);
    const alone = performance.now() - start;
    await sandbox.run([...honest.slice(50), ...callsOf(name, 1), ...honest.slice(0, 50)]);
    delays.push(performance.now() - start - 2 * alone);
  }
  console.log(
    `${what}: delays 100 other rows by ${Math.max(...delays).toFixed(0)} ms (the longest of ${ATTACKS_EACH})`,
  );
}

const callsOf = (name: string, count: number): MergeCall[] =>
  Array.from({ length: count }, (_, i) => ({
    function: { name, version: 1 },
    table: 'public.items' as TableName,
    key: JSON.stringify([String(i)]) as RowKey,
    columns: ['qty'],
    base: { qty: '5' },
    versions: ['us', 'eu', 'ap'].map((origin, j) => ({
      origin: origin as RegionId,
      stamp: String(116_000_000_000_000_000n + BigInt(i + j)),
      wall: '2026-11-22T00:00:00.000000Z',
      values: { qty: String(i + j) },
    })),
  }));

const megabytes = (): number => process.memoryUsage.rss() / 1024 / 1024;

void bench();
