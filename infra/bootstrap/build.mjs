import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { swcOptions } from './swc-options.mjs';

/** dist/ mirrors these folders, so a path relative to a file means the same in both trees. */
const SOURCES = ['apps', 'libs', 'migrations', 'test/bench', 'test/simulation', 'test/e2e'];
const OPTIONS = 'options.json';
/** The dashboard has its own build; tests run from source. */
const LEFT_OUT = /^apps\/dashboard(\/|$)|(^|\/)(node_modules|bin)(\/|$)|\.spec\.ts$|\.d\.ts$|\/tsconfig\.json$|\.md$/;

/**
 * Brings dist/ up to date file by file: TypeScript is compiled, anything else (SQL, JSON) copied, leftovers removed.
 * Nothing to do costs some tens of milliseconds, so every start calls it. It does not check types: `npm run typecheck` does.
 */
export async function build(root) {
  const dist = join(root, 'dist');
  const sources = SOURCES.flatMap((folder) => filesUnder(root, folder)).filter((file) => !LEFT_OUT.test(file));
  forgetOtherOptions(dist);
  const targets = new Map(sources.map((file) => [file.replace(/\.ts$/, '.js'), file]));
  for (const file of filesUnder(dist, ''))
    if (file !== OPTIONS && !targets.has(file)) rmSync(join(dist, file), { force: true });
  const stale = [...targets].filter(([target, source]) => !sameAge(join(dist, target), join(root, source)));
  if (stale.length === 0) return;
  const { transformFile } = await import('@swc/core');
  await Promise.all(stale.map(([target, source]) => emit(transformFile, join(root, source), join(dist, target))));
}

async function emit(transformFile, source, target) {
  const { mtime } = statSync(source);
  // Written aside and renamed: another process may be building, or loading this very file.
  const partial = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  if (source.endsWith('.ts')) {
    writeFileSync(
      partial,
      (await transformFile(source, { ...swcOptions, sourceMaps: 'inline', inlineSourcesContent: false })).code,
    );
  } else copyFileSync(source, partial);
  utimesSync(partial, mtime, mtime);
  renameSync(partial, target);
}

/** What was compiled with other options, or before a lib existed that it imports, is compiled again. */
function forgetOtherOptions(dist) {
  const options = JSON.stringify(swcOptions);
  const file = join(dist, OPTIONS);
  if (existsSync(file) && readFileSync(file, 'utf8') === options) return;
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  writeFileSync(file, options);
}

/** A target carries its source's time: an older checkout is as different as a newer edit. */
function sameAge(target, source) {
  return existsSync(target) && Math.abs(statSync(target).mtimeMs - statSync(source).mtimeMs) < 2;
}

function filesUnder(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return LEFT_OUT.test(path) ? [] : filesUnder(root, path);
  });
}
