import { callOf } from './call.builder.js';
import { MergeSandbox } from './merge-sandbox.js';
import { SandboxClosedError } from './threads.js';

/** Ends its thread, or its step count, when the row says so. */
const MOODY = `export default (base, [{ values }]) => {
  if (values.v === 'computes') Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  if (values.v === 'loops') for (;;);
  return values;
}`;

describe('calls that had to be stopped', () => {
  let now: number;
  let sandbox: MergeSandbox;
  beforeEach(async () => {
    now = Date.UTC(2026, 10, 22);
    sandbox = new MergeSandbox(() => now);
    await sandbox.compile('moody', 1, MOODY);
    await sandbox.compile('honest', 1, 'export default (base, [{ values }]) => values');
    await sandbox.ready();
  });
  afterEach(() => sandbox.close());

  const call = (name: string, v: string) => callOf(name, null, { v });
  /** 'ok', or why not. */
  const run = async (...calls: readonly (readonly [string, string])[]): Promise<string[]> => {
    const outcomes = await sandbox.run(calls.map(([name, v]) => call(name, v)));
    return outcomes.map((o, i) => (o.kind === 'failed' ? o.because : o.values['v'] === calls[i]![1] ? 'ok' : 'wrong'));
  };

  it.each([
    ['computes', 'timed out'],
    ['loops', 'out of steps'],
  ])('only the one that %s fails, and neither its function’s others nor other functions’', async (v, why) => {
    const calls = Array.from({ length: 60 }, (_, i) => [i % 2 ? 'honest' : 'moody', i === 30 ? v : String(i)] as const);
    expect(await run(...calls)).toEqual(calls.map((_, i) => (i === 30 ? why : 'ok')));
    expect(sandbox.suspended()).toEqual([]);
  });

  it('a function that does so again is suspended, and the rows of others are answered', async () => {
    const outcomes = await run(
      ['moody', 'computes'],
      ['moody', 'computes'],
      ['honest', '1'],
      ['moody', 'computes'],
      ['moody', '2'],
      ['honest', '3'],
    );
    expect(outcomes).toEqual(['timed out', 'timed out', 'ok', 'suspended', 'suspended', 'ok']);
    expect(sandbox.suspended()).toEqual([{ name: 'moody', version: 1, until: '2026-11-22T00:01:00.000Z' }]);
    expect(await run(['moody', '4'], ['honest', '5'])).toEqual(['suspended', 'ok']);
  });

  it('after a minute one of its calls is tried, and the others wait for how that ends', async () => {
    await run(['moody', 'computes'], ['moody', 'computes']);
    now += 60_000;
    expect(await run(['moody', 'computes'], ['moody', '1'], ['honest', '2'])).toEqual(['timed out', 'suspended', 'ok']);
    now += 60_000;
    expect(await run(['moody', '1'])).toEqual(['suspended']);
    now += 60_000;
    expect(await run(['moody', '1'], ['moody', '2'])).toEqual(['ok', 'ok']);
    expect(sandbox.suspended()).toEqual([]);
  });

  it('one that runs out of steps again and again is not: every region counts alike, and no thread is ended', async () => {
    const calls = Array.from({ length: 20 }, (_, i) => ['moody', i % 2 ? 'loops' : String(i)] as const);
    expect(await run(...calls)).toEqual(calls.map(([, v]) => (v === 'loops' ? 'out of steps' : 'ok')));
    expect(sandbox.suspended()).toEqual([]);
  });

  it('an operator need not wait', async () => {
    await run(['moody', 'computes'], ['moody', 'computes']);
    sandbox.resume({ name: 'moody', version: 1 });
    expect(await run(['moody', '1'])).toEqual(['ok']);
  });

  it('a sandbox that is closed says so', async () => {
    const waits = sandbox.run([call('moody', 'computes'), call('honest', '1')]);
    const closed = sandbox.close();
    await expect(waits).rejects.toThrow(SandboxClosedError);
    await closed;
    await expect(sandbox.run([call('honest', '1')])).rejects.toThrow(SandboxClosedError);
  });
});
