import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { stringify } from 'yaml';
import { ServiceProcess } from '../../apps/cli/src/dev/service-process.js';
import { ReachableRegions, type ReachableRegion, until } from '../e2e/reachable-regions.js';
import { freePorts } from './free-ports.js';
import { ToxicLinks } from './toxic-links.js';

export type RegionTransport = { readonly kafka: { readonly brokers: readonly string[] } } | 'direct';

interface ContainerRegion extends ReachableRegion {
  /** As an administrator, whom the service never is. */
  readonly admin: string;
  readonly port: number;
}

/** What a managed PostgreSQL gives: a role that owns its database and may make roles; nothing else, no grant on any parameter. */
const MANAGED_ROLE = `CREATE ROLE app LOGIN CREATEROLE PASSWORD 'app'; CREATE DATABASE app OWNER app`;

const READY_MS = 60_000;
const ADMIN_PASSWORD = randomBytes(16).toString('hex');

/** Regions with PostgreSQL of different versions in containers, Meridian as processes, and Toxiproxy between them. */
export class ContainerRegions extends ReachableRegions<ContainerRegion> {
  private services: ServiceProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'meridian-integration-'));
  private readonly secret = randomBytes(32).toString('hex');

  private constructor(
    regions: readonly ContainerRegion[],
    private readonly databases: readonly StartedTestContainer[],
    readonly links: ToxicLinks,
  ) {
    super(regions);
  }

  static async start(images: Readonly<Record<string, string>>): Promise<ContainerRegions> {
    const names = Object.keys(images);
    const ports = await freePorts(names.length);
    const portOf = new Map(names.map((name, i) => [name, ports[i]!]));
    const links = await ToxicLinks.start(portOf);
    const databases: StartedTestContainer[] = [];
    try {
      await Promise.all(names.map(async (name, i) => (databases[i] = await startPostgres(images[name]!))));
      const regions = await Promise.all(names.map((name, i) => openRegion(name, portOf.get(name)!, databases[i]!)));
      return new ContainerRegions(regions, databases, links);
    } catch (error) {
      await Promise.all([links.stop(), ...databases.map((database) => database?.stop({ timeout: 0 }))]);
      throw error;
    }
  }

  /** All services, over this transport; those that run end first, and their databases know nothing of it. */
  async serve(transport: RegionTransport): Promise<void> {
    await this.stopServices();
    this.services = this.names.map((name) => this.serviceOf(name, transport));
    for (const service of this.services) service.start();
    await Promise.all(this.names.map((name) => this.untilReady(name, READY_MS)));
  }

  /** kill -9; its supervisor starts it again. */
  async restart(name: string): Promise<void> {
    this.services.find((service) => service.region === name)!.kill9();
    await until(async () => !(await this.isReady(name)), `${name} is down`);
    await this.untilReady(name, READY_MS);
  }

  async asAdmin(name: string, sql: string): Promise<void> {
    await withClient(this.region(name).admin, (client) => client.query(sql));
  }

  log(name: string): string {
    return readFileSync(join(this.folder, name, 'service.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.stopServices();
    await Promise.all([this.links.stop(), ...this.databases.map((database) => database.stop({ timeout: 0 }))]);
    if (process.env.MERIDIAN_KEEP_DATA === undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  private async stopServices(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
  }

  private serviceOf(name: string, transport: RegionTransport): ServiceProcess {
    const { postgres, port } = this.region(name);
    const peers = this.names.filter((peer) => peer !== name);
    const config = {
      cluster: 'shop',
      secret: this.secret,
      region: name,
      http: { host: '127.0.0.1', port },
      postgres: { url: postgres },
      peers: Object.fromEntries(peers.map((peer) => [peer, this.links.url(`${peer}>${name}`)])),
      transport,
    };
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'meridian.yaml'), stringify(config), { mode: 0o600 });
    return new ServiceProcess(name, join(folder, 'meridian.yaml'), join(folder, 'service.log'));
  }
}

/**
 * Not PostgreSqlContainer, whose health check runs pg_isready in a shell, four times a second: on a busy machine it is killed
 * after a second, and an orphan that ends with status 2 is to the postmaster (process 1) a crash: it ends all sessions.
 */
function startPostgres(image: string): Promise<StartedTestContainer> {
  return new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: ADMIN_PASSWORD })
    .withExposedPorts(5432)
    .withStartupTimeout(120_000)
    .start();
}

async function openRegion(name: string, port: number, database: StartedTestContainer): Promise<ContainerRegion> {
  const admin = new URL(`postgres://postgres:${ADMIN_PASSWORD}@127.0.0.1:${database.getMappedPort(5432)}/postgres`);
  const answers = (): Promise<boolean> =>
    withClient(admin.href, (client) => client.query('SELECT 1')).then(
      () => true,
      () => false,
    );
  // Over TCP: while the database is being made, the server listens on a socket only.
  await until(answers, `${name}'s PostgreSQL answers`, 60_000);
  for (const sql of MANAGED_ROLE.split(';')) await withClient(admin.href, (client) => client.query(sql));
  const own = new URL('/app', admin);
  own.username = own.password = 'app';
  admin.pathname = '/app';
  return { name, port, http: `http://127.0.0.1:${port}`, postgres: own.href, admin: admin.href };
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
