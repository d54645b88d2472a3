import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Region } from '../candidates/candidate.js';

export interface Load {
  /** A file of test/bench/sql. */
  readonly script: string;
  readonly clients: number;
  readonly seconds?: number;
  /** Instead of seconds: transactions of each client. */
  readonly transactions?: number;
  /** Transactions a second, of all clients; unlimited when left out. */
  readonly rate?: number;
  readonly variables?: Readonly<Record<string, number>>;
  /** For making a backlog quickly. */
  readonly asynchronousCommit?: boolean;
}

export interface LoadResult {
  /** Transactions whose commit the client saw. */
  readonly acknowledged: number;
  readonly seconds: number;
}

const SQL = join(__dirname, '..', 'sql');

export function requirePgbench(): string {
  const version = spawnSync('pgbench', ['--version'], { encoding: 'utf8' });
  if (version.status === 0) return version.stdout.trim();
  throw new Error(
    'the benchmark needs pgbench: apt-get install postgresql-contrib (Debian: part of postgresql-15, any version will do)',
  );
}

export function pgbench(region: Region, load: Load): Promise<LoadResult> {
  const args = ['-n', '-M', 'prepared', '-j', '1', '-c', `${load.clients}`];
  if (load.transactions === undefined) args.push('-T', `${load.seconds ?? 1}`);
  else args.push('-t', `${load.transactions}`);
  if (load.rate !== undefined) args.push('-R', `${load.rate}`);
  for (const [name, value] of Object.entries(load.variables ?? {})) args.push('-D', `${name}=${value}`);
  args.push('-f', join(SQL, load.script), region.server.url(region.database, 'app'));
  const env = { ...process.env, ...(load.asynchronousCommit ? { PGOPTIONS: '-c synchronous_commit=off' } : {}) };
  return new Promise((resolve, reject) => {
    const child = spawn('pgbench', args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    child.on('error', reject);
    child.on('exit', (code) => {
      const acknowledged = Number(/transactions actually processed: (\d+)/.exec(output)?.[1] ?? Number.NaN);
      const tps = Number(/tps = ([\d.]+)/.exec(output)?.[1] ?? Number.NaN);
      if (code !== 0 || Number.isNaN(acknowledged))
        reject(new Error(`pgbench ${load.script} in ${region.name}: ${errors.slice(0, 600)}`));
      else resolve({ acknowledged, seconds: acknowledged === 0 ? (load.seconds ?? 0) : acknowledged / tps });
    });
  });
}
