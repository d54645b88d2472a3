import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs `npm ci` unless node_modules already holds what package-lock.json says. npm writes node_modules/.package-lock.json
 * as the last step of an install, so a killed install is noticed, and a git checkout that only touches times is not.
 */
export function ensureInstalled(root) {
  if (installedAsLocked(root)) return;
  process.stderr.write('meridian: installing dependencies (npm ci)\n');
  // --ignore-scripts: nothing we use needs its install script, and some compile for minutes or report home.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error'];
  const npm = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (npm.status !== 0) throw new Error(`npm ci failed in ${root}; its messages are above`);
  linkNode(root);
}

/**
 * What the install script of the package `node` would do, without its second npm install: its `node_modules/.bin/node`, which
 * npm's scripts find first, becomes the binary for this platform.
 */
function linkNode(root) {
  const binary = platformNode(root);
  if (!existsSync(binary)) return;
  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, 'node', 'bin'), { recursive: true });
  linkAnew(binary, join(modules, 'node', 'bin', 'node'));
  chmodSync(binary, 0o755);
  linkAnew(binary, join(modules, '.bin', 'node'));
}

function linkAnew(file, link) {
  rmSync(link, { force: true });
  linkSync(file, link);
}

const platformNode = (root) => join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');

function installedAsLocked(root) {
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  const locked = packagesIn(join(root, 'package-lock.json'));
  if (!installed || !locked) return false;
  return Object.entries(locked).every(
    ([path, { version, optional }]) =>
      // Optional packages are for one platform each and may rightly be absent.
      path === '' || (installed[path] ? installed[path].version === version : optional === true),
  );
}

function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

/** The Node that runs Meridian: this one when it is new enough, else the pinned one (an npm package that is the binary). */
export function meridianNode(root) {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const pinned = platformNode(root);
  if (existsSync(pinned)) return pinned;
  throw new Error(
    `Meridian needs Node.js 24 and brings it for linux-x64 only; this is ${process.version}: install Node.js 24`,
  );
}
