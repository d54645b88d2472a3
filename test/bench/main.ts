import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { meridian } from './candidates/meridian.js';
import { native } from './candidates/native.js';
import { raw } from './candidates/raw.js';
import { requirePgbench } from './measure/pgbench.js';
import { type Options, readOptions, USAGE } from './options.js';
import { pinToTwoCores } from './pin.js';
import { markdown, plainText } from './report/print.js';
import { tableOf } from './report/table.js';
import { runPlan } from './run.js';
import { scenarios } from './scenarios/index.js';
import { prepareServer } from './schema.js';
import { ServerPool } from './servers.js';

const DOCS = join(__dirname, '..', '..', '..', 'docs');

async function bench(options: Options): Promise<void> {
  const version = requirePgbench();
  pinToTwoCores();
  const dir = mkdtempSync(join(tmpdir(), 'meridian-bench-'));
  // PostgreSQL, which does not run as root, has its data below it.
  chmodSync(dir, 0o755);
  const pool = new ServerPool(dir, options.port, prepareServer);
  const candidates = [raw, native, meridian(dir, options.port + 50)].filter(({ name }) =>
    options.candidates.includes(name),
  );
  const began = Date.now();
  try {
    const results = await runPlan(
      {
        scenarios: scenarios.filter(({ id }) => options.only.length === 0 || options.only.includes(id)),
        candidates,
        rounds: options.rounds,
        pace: options.quick ? { seconds: 1, scale: 0.1 } : { seconds: 5, scale: 1 },
      },
      pool,
    );
    const rows = tableOf(results);
    console.log(plainText(rows));
    if (options.markdown) {
      mkdirSync(DOCS, { recursive: true });
      const file = join(DOCS, 'benchmark.md');
      writeFileSync(file, markdown(rows, circumstances(options, version, began)) + sections(file));
    }
  } finally {
    await pool.stop();
    if (options.keep) console.error(`kept: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
}

/** What stands below the table is of other programs, and stays. */
function sections(file: string): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const from = text.indexOf('\n## ');
  return from < 0 ? '' : text.slice(from);
}

function circumstances(options: Options, version: string, began: number): string {
  const minutes = Math.round((Date.now() - began) / 60_000);
  return [
    `${new Date().toISOString().slice(0, 10)}, two cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version},`,
    `PostgreSQL 18 (embedded binaries), ${version}; ${options.rounds} alternating rounds in ${minutes} minutes.`,
    'Servers, services and the load generator share the two cores.',
  ].join('\n');
}

// Servers and services are stopped on 'exit', which a signal alone does not bring about.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
try {
  const options = readOptions(process.argv.slice(2));
  void bench(options).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
