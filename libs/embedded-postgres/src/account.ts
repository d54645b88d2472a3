import { accessSync, chmodSync, chownSync, constants, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, sep } from 'node:path';

/** The unprivileged `nobody` of every Linux: PostgreSQL refuses to run as root, and containers and CI often are root. */
const NOBODY = { uid: 65534, gid: 65534 } as const;

/** For spawn(): who PostgreSQL runs as. Empty when we are unprivileged ourselves. */
export function postgresAccount(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? NOBODY : {};
}

/** Makes a folder that PostgreSQL's account owns and can reach, or says why that cannot be. */
export function makeOwnFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  const { uid, gid } = postgresAccount();
  if (uid === undefined || gid === undefined) return accessSync(path, constants.R_OK | constants.W_OK);
  for (let parent = dirname(path); parent !== dirname(parent); parent = dirname(parent)) letEnter(parent, uid);
  chownSync(path, uid, gid);
}

function letEnter(folder: string, account: number): void {
  const { mode, uid: owner } = statSync(folder);
  if (owner === account ? (mode & 0o100) !== 0 : (mode & 0o001) !== 0) return;
  // mkdtemp closes what it makes; opening it to pass through shows nobody its names.
  if (owner === process.getuid?.() && folder.startsWith(tmpdir() + sep)) return chmodSync(folder, mode | 0o011);
  throw new Error(
    `PostgreSQL refuses to run as root, so it runs as uid ${account}, who cannot enter ${folder}: ` +
      `choose a data folder elsewhere, or run as an ordinary user`,
  );
}
