import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgres, createAppDatabase } from '@meridian/embedded-postgres';
import { stringify } from 'yaml';
import { Link } from './link.js';
import { ServiceProcess } from './service-process.js';

export interface LocalClusterOptions {
  readonly regions: readonly string[];
  /** Region i serves HTTP on port + i and PostgreSQL on pgPort + i. */
  readonly port: number;
  readonly pgPort: number;
  readonly dataDir: string;
  readonly transport: { readonly kafka: { readonly brokers: readonly string[] } } | 'direct';
  /** Peers reach one another through links that can be cut. */
  readonly links: boolean;
  /** Instead of the CLI, for the services. */
  readonly program?: string;
}

export interface LocalRegion {
  readonly name: string;
  readonly http: string;
  readonly postgres: string;
  readonly service: ServiceProcess;
}

const READY_DEADLINE_MS = 90_000;

/** Regions on this machine: a PostgreSQL and a service for each, as processes, their data kept in one folder. */
export class LocalCluster {
  readonly servers: EmbeddedPostgres[] = [];
  private readonly links = new Map<string, Link>();
  readonly regions: LocalRegion[] = [];

  private constructor(private readonly options: LocalClusterOptions) {}

  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const cluster = new LocalCluster(options);
    try {
      await cluster.run();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private async run(): Promise<void> {
    const { regions, dataDir, port, pgPort } = this.options;
    mkdirSync(dataDir, { recursive: true });
    const secret = this.secret();
    const urls = await Promise.all(
      regions.map(async (name, i) => {
        const server = await EmbeddedPostgres.start({ dataDir: join(dataDir, name, 'postgres'), port: pgPort + i });
        this.servers.push(server);
        return createAppDatabase(server);
      }),
    );
    for (const [i, name] of regions.entries()) {
      const configFile = join(dataDir, name, 'meridian.yaml');
      const peers = await this.peersOf(i);
      const config = {
        cluster: 'dev',
        secret,
        region: name,
        http: { host: '127.0.0.1', port: port + i },
        postgres: { url: urls[i]! },
        peers,
        transport: this.options.transport,
      };
      mkdirSync(join(dataDir, name), { recursive: true });
      writeFileSync(configFile, stringify(config), { mode: 0o600 });
      const service = new ServiceProcess(name, configFile, join(dataDir, name, 'service.log'), this.options.program);
      service.start();
      this.regions.push({ name, http: `http://127.0.0.1:${port + i}`, postgres: urls[i]!, service });
    }
    await Promise.all(this.regions.map((region) => this.untilReady(region)));
  }

  /** Kept over restarts, for the regions' databases know one another by it. */
  private secret(): string {
    const file = join(this.options.dataDir, 'secret');
    if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
    return readFileSync(file, 'utf8');
  }

  private async peersOf(index: number): Promise<Record<string, string>> {
    const { regions, port, links } = this.options;
    const peers: Record<string, string> = {};
    for (const [i, name] of regions.entries()) {
      if (i === index) continue;
      const link = links ? await Link.to(port + i) : null;
      if (link !== null) this.links.set(`${regions[index]}>${name}`, link);
      peers[name] = `http://127.0.0.1:${link?.port ?? port + i}`;
    }
    return peers;
  }

  async untilReady(region: Pick<LocalRegion, 'name' | 'http'>): Promise<void> {
    const deadline = Date.now() + READY_DEADLINE_MS;
    for (;;) {
      const answer = await fetch(`${region.http}/readyz`).catch(() => null);
      if (answer?.ok === true) return;
      if (Date.now() > deadline)
        throw new Error(
          `region ${region.name} is not ready after ${READY_DEADLINE_MS / 1000} s; see ${join(this.options.dataDir, region.name, 'service.log')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Nobody reaches `name` any more, and it reaches nobody. */
  isolate(name: string): void {
    for (const [link, proxy] of this.links) if (link.split('>').includes(name)) proxy.cut();
  }

  heal(): void {
    for (const proxy of this.links.values()) proxy.heal();
  }

  /** From now on peers reach `name` at this port. */
  retarget(name: string, port: number): void {
    for (const [link, proxy] of this.links) if (link.endsWith(`>${name}`)) proxy.retarget(port);
  }

  async stop(): Promise<void> {
    await Promise.all(this.regions.map((region) => region.service.stop()));
    for (const link of this.links.values()) link.close();
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
