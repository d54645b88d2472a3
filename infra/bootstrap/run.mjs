import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { ensureInstalled, meridianNode } from './install.mjs';

/*
 * The way into every command, from a fresh clone, on any Node from 20 on: install, build, then run the real thing under
 * the pinned Node. Uses only Node's own modules until the install is done.
 *
 *   node infra/bootstrap/run.mjs cli dev --regions us,eu     the command line (also: demo, bench, sim, test)
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** As a service has them: apps/cli/src/dev/service-process.ts says why. */
const FLAGS = ['--enable-source-maps', '--max-semi-space-size=8'];
const CLI = 'dist/apps/cli/src/main.js';
const COMMANDS = {
  cli: [CLI],
  demo: [CLI, 'demo'],
  bench: ['dist/test/bench/main.js'],
  'bench-merge': ['dist/test/bench/merge-sandbox.js'],
  'bench-slow-path': ['dist/test/bench/slow-path/main.js'],
  'bench-conflicts': ['dist/test/bench/conflict-memory.js'],
  sim: ['dist/test/simulation/main.js'],
  test: ['infra/tests/run.mjs'],
};

/** What can go wrong here is the machine's (no network, wrong platform), so its user gets the sentence and not a stack. */
export async function runOrExplain(command, args) {
  try {
    await run(command, args);
  } catch (error) {
    process.stderr.write(`meridian: ${error.message}\n`);
    process.exitCode = 1;
  }
}

async function run(command, args) {
  const entry = COMMANDS[command];
  if (!entry) throw new Error(`unknown command "${command}"; one of ${Object.keys(COMMANDS).join(', ')}`);
  ensureInstalled(root);
  await build(root);
  const file = join(root, entry[0]);
  if (!existsSync(file)) throw new Error(`"${command}" has no program yet: ${entry[0]} is missing`);
  process.exitCode = await runUntilExit(meridianNode(root), [...FLAGS, file, ...entry.slice(1), ...args]);
}

function runUntilExit(node, args) {
  // npm scripts and child processes find the pinned Node first.
  const PATH = `${dirname(node)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`;
  const child = spawn(node, args, { stdio: 'inherit', env: { ...process.env, PATH } });
  // Ctrl-C reaches the whole process group by itself: stay until the child has stopped what it started.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

const isMain = process.argv[1] === fileURLToPath(import.meta.url);
if (isMain) await runOrExplain(process.argv[2] ?? '', process.argv.slice(3));
