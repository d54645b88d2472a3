import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { integrationEnvironment } from './docker-images.mjs';

/*
 * `npm test`: the checks, then the jest projects one after another, all of them even when one fails, and the sum as the
 * last line. `npm test -- unit pg` runs only what is named.
 *
 * MERIDIAN_TEST_REQUIRE_DOCKER=1 makes it a failure, and not a note, that the integration tests could not run.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CHECKS = ['format:check', 'lint', 'typecheck', 'deps', 'lock'];
const PROJECTS = ['unit', 'pg', 'simulation', 'integration', 'e2e'];
/** Each of their tests starts servers or whole regions: two at once measure the machine, not Meridian. */
const ONE_AT_A_TIME = ['integration', 'e2e'];
/** A hung project ends with a failure and not with the patience of whoever started it. */
const PROJECT_DEADLINE_MS = 30 * 60_000;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => ![...CHECKS, ...PROJECTS].includes(name));
if (unknown.length > 0) {
  throw new Error(`no such part: ${unknown.join(', ')}; there are ${[...CHECKS, ...PROJECTS].join(', ')}`);
}
const chosen = (name) => wanted.length === 0 || wanted.includes(name);
const results = mkdtempSync(join(tmpdir(), 'meridian-results-'));
const sum = { passed: 0, failed: 0, skipped: 0 };
const notes = [];

for (const check of CHECKS.filter(chosen)) {
  heading(check);
  if (spawnSync('npm', ['run', '--silent', check], { cwd: root, stdio: 'inherit' }).status !== 0) {
    sum.failed += 1;
    notes.push(`${check} failed`);
  }
}
for (const project of PROJECTS.filter(chosen)) {
  heading(project);
  const environment = project === 'integration' ? integrationEnvironment() : {};
  if (environment.unavailable) leaveOut(project, environment.unavailable);
  else runProject(project, environment);
}
rmSync(results, { recursive: true });

heading('result');
for (const note of notes) console.log(note);
if (sum.skipped > 0) console.log(`${sum.skipped} skipped`);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function runProject(project, environment) {
  const outputFile = join(results, `${project}.json`);
  const jest = spawnSync(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
      ...['--selectProjects', project, '--passWithNoTests', '--json', `--outputFile=${outputFile}`],
      ...(ONE_AT_A_TIME.includes(project) ? ['--runInBand'] : []),
    ],
    // --json also prints the whole result to stdout, which nobody wants to read.
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...environment },
      timeout: PROJECT_DEADLINE_MS,
    },
  );
  const result = existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, 'utf8')) : undefined;
  sum.passed += result?.numPassedTests ?? 0;
  sum.skipped += (result?.numPendingTests ?? 0) + (result?.numTodoTests ?? 0);
  // A file that does not load has no tests to fail, and jest itself can fail: neither may look like success.
  const failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
  sum.failed += jest.status === 0 ? failed : Math.max(failed, 1);
  if (jest.status !== 0) {
    const end = jest.error?.message ?? (jest.signal ? `ended by ${jest.signal}` : `ended with status ${jest.status}`);
    notes.push(`${project} failed: ${failed} tests or files; jest ${end}`);
  }
}

function leaveOut(project, why) {
  const files = globSync(`test/${project}/**/*.spec.ts`, { cwd: root });
  const note = `left out: ${project} (${files.length} files), because ${why}`;
  console.log(note);
  notes.push(note);
  if (process.env.MERIDIAN_TEST_REQUIRE_DOCKER === '1') sum.failed += 1;
}

function heading(name) {
  console.log(`\n== ${name}`);
}
