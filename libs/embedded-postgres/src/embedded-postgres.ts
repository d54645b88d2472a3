import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, closeSync, existsSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { makeOwnFolder, postgresAccount } from './account';
import { postgresHome } from './binaries';
import { freePort } from './free-port';
import { childrenOf, isAlive, workingDirectory } from './processes';

export interface EmbeddedPostgresOptions {
  /** Kept over restarts; made, and initialised, when it is not there. */
  readonly dataDir: string;
  /** On 127.0.0.1. Left out: a free one. */
  readonly port?: number;
  /** Default true. False is for tests only: a crash of the machine loses the database. */
  readonly durable?: boolean;
  /** More lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Besides our own environment: a library that shows the server a wrong clock, for one. */
  readonly environment?: Readonly<Record<string, string>>;
}

const SUPERUSER = 'postgres';
const PASSWORD = 'postgres';
/** Long enough for crash recovery of a developer's database; a server that dies is noticed at once. */
const START_DEADLINE_MS = 120_000;
/** A fast shutdown ends all sessions and writes a checkpoint; after this, something hangs. */
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 20;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  max_prepared_transactions: '20',
  max_connections: '200',
  shared_buffers: '128MB',
  synchronous_commit: 'on',
  // The statements of a proxy are small: compiling one costs more than running it.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * A real PostgreSQL 18 from the npm binaries, as a child of this process: for `meridian dev`, the demo and tests.
 *
 *   const server = await EmbeddedPostgres.start({ dataDir: '/tmp/eu', port: 7101 });
 *   ... server.url ...
 *   await server.stop();
 *
 * It runs in a process group of its own, so that Ctrl-C stops Meridian's regions first and their database after them.
 * When this process exits without stop(), the server is told to stop too; after a `kill -9` of this process it lives on,
 * and the next start() on the same data folder stops it before it starts.
 */
export class EmbeddedPostgres {
  readonly #options: EmbeddedPostgresOptions & { readonly port: number };
  #process: ChildProcess | undefined;
  readonly #stopOnExit = (): void => void this.#process?.kill('SIGINT');

  private constructor(options: EmbeddedPostgresOptions & { readonly port: number }) {
    this.#options = options;
  }

  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const port = options.port ?? (await freePort());
    const server = new EmbeddedPostgres({ ...options, dataDir: resolve(options.dataDir), port });
    await server.restart();
    return server;
  }

  get port(): number {
    return this.#options.port;
  }

  get logFile(): string {
    return `${this.#options.dataDir}.log`;
  }

  /** Of the database `postgres`, as superuser. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string, user = SUPERUSER, password = PASSWORD): string {
    return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Starts it again after stop() or kill9(), with the same data and port. */
  async restart(): Promise<void> {
    await this.stop();
    const { dataDir, port, durable = true, settings, environment } = this.#options;
    const home = postgresHome();
    initialise(home, dataDir, durable);
    await stopLeftover(dataDir);
    const all = { ...SETTINGS, port: String(port), fsync: durable ? 'on' : 'off', ...settings };
    const log = openSync(this.logFile, 'a');
    const server = spawn(
      join(home, 'bin', 'postgres'),
      ['-D', dataDir, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...postgresAccount(),
        cwd: dataDir,
        env: { ...process.env, ...environment },
        detached: true,
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.#process = server;
    process.once('exit', this.#stopOnExit);
    await this.#ready(server);
  }

  /** Ends all sessions, writes a checkpoint, and returns when the server is gone. */
  async stop(): Promise<void> {
    const server = this.#forget();
    if (!server?.pid || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGINT');
    await gone([server.pid]);
    await reaped(server);
  }

  /** A crash: every process of the server dies at once, with nothing written that was not yet. */
  async kill9(): Promise<void> {
    const server = this.#forget();
    if (!server?.pid) return;
    const all = [server.pid, ...childrenOf(server.pid)];
    // The postmaster first, so that it starts no new children and cleans nothing up.
    for (const pid of all) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await gone(all);
    await reaped(server);
  }

  async createDatabase(name: string, owner = SUPERUSER): Promise<void> {
    await this.query(`CREATE DATABASE ${quoted(name)} OWNER ${quoted(owner)}`);
  }

  /** One statement as superuser, in the database `postgres` unless told. For set-up; not a pool. */
  async query(sql: string, values: readonly unknown[] = [], database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.urlOf(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  #forget(): ChildProcess | undefined {
    const server = this.#process;
    this.#process = undefined;
    process.off('exit', this.#stopOnExit);
    return server;
  }

  /** The postmaster writes its pid and, on line 8, "ready" into its pid file: what pg_ctl waits for, too. */
  async #ready(server: ChildProcess): Promise<void> {
    const failed = new Promise<Error>((fail) => server.once('error', fail));
    const deadline = Date.now() + START_DEADLINE_MS;
    for (;;) {
      const lines = pidFile(this.#options.dataDir);
      if (lines[0] === String(server.pid) && lines[7]?.trim() === 'ready') return;
      const error = await Promise.race([failed, delay(POLL_MS)]);
      const died = error !== undefined || server.exitCode !== null || server.signalCode !== null;
      if (!died && Date.now() < deadline) continue;
      await this.stop();
      throw new Error(`PostgreSQL did not start; the end of ${this.logFile}:\n${this.#logTail()}`, { cause: error });
    }
  }

  #logTail(): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  }
}

function initialise(home: string, dataDir: string, durable: boolean): void {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  makeOwnFolder(dataDir);
  const { uid, gid } = postgresAccount();
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
  const initdb = spawnSync(
    join(home, 'bin', 'initdb'),
    [
      ...['-D', dataDir, '-U', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8'],
      // The same order of text on every machine.
      ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--no-instructions'],
      ...(durable ? [] : ['--no-sync']),
    ],
    { uid, gid, cwd: dataDir, encoding: 'utf8' },
  );
  rmSync(passwordFile);
  if (initdb.status !== 0) {
    throw new Error(`initdb failed in ${dataDir}:\n${initdb.stderr || initdb.stdout}`, { cause: initdb.error });
  }
}

/** A server that outlived its Meridian holds the data folder: it has to go before another can start. */
async function stopLeftover(dataDir: string): Promise<void> {
  const pid = Number(pidFile(dataDir)[0]);
  if (!pid || workingDirectory(pid) !== realpathSync(dataDir)) return;
  process.kill(pid, 'SIGINT');
  await gone([pid]);
}

function pidFile(dataDir: string): string[] {
  const file = join(dataDir, 'postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

async function gone(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + STOP_DEADLINE_MS;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline) {
      // Immediate shutdown: as a crash, which the log makes good at the next start.
      for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGQUIT');
    }
    await delay(POLL_MS);
  }
}

/** A dead process keeps its pid until we have heard of its end, and so long PostgreSQL takes its lock file for held (seen). */
const reaped = (server: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) resolve();
    else server.once('exit', () => resolve());
  });

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
