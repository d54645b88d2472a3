import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@meridian/embedded-postgres';
import { clockEnvironment } from './clock.js';

/** One PostgreSQL server, of one region. All candidates use the same servers, each in a fresh database. */
export interface Server {
  readonly region: string;
  readonly port: number;
  /** The postmaster's; all the server's processes are its children. */
  readonly pid: number;
  /** Seconds by which this server's clock is wrong. */
  readonly clockSeconds: number;
  readonly url: (database: string, user?: 'app' | 'postgres') => string;
}

/** Besides the embedded defaults (fsync, synchronous_commit, wal_level = logical): the same for every candidate. */
const SETTINGS = {
  // No checkpoint of one leg falls into another.
  max_wal_size: '4GB',
  max_worker_processes: '24',
  max_logical_replication_workers: '12',
  // Native needs it to notice conflicts at all, and the latency measurement reads it.
  track_commit_timestamp: 'on',
};

export class ServerPool {
  private readonly servers = new Map<string, { server: Server; embedded: EmbeddedPostgres }>();
  private nextPort: number;

  constructor(
    private readonly dir: string,
    basePort: number,
    /** Prepares a new server: its role and the template database. */
    private readonly prepare: (server: Server) => Promise<void>,
  ) {
    this.nextPort = basePort;
  }

  async server(region: string, clockSeconds = 0): Promise<Server> {
    const name = clockSeconds === 0 ? region : `${region}${clockSeconds}`;
    const running = this.servers.get(name);
    if (running) return running.server;
    const dataDir = join(this.dir, name);
    const environment = clockEnvironment(clockSeconds);
    const embedded = await EmbeddedPostgres.start({ dataDir, port: this.nextPort++, settings: SETTINGS, environment });
    const server: Server = {
      region,
      port: embedded.port,
      pid: Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]),
      clockSeconds,
      url: (database, user = 'postgres') => embedded.urlOf(database, user, user),
    };
    this.servers.set(name, { server, embedded });
    await this.prepare(server);
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers.values()].map(({ embedded }) => embedded.stop()));
    this.servers.clear();
  }
}
