import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ReachableRegions } from '../e2e/reachable-regions.js';
import { freePorts } from './free-ports.js';

const ROOT = join(__dirname, '..', '..');
const REGIONS = ['us', 'eu', 'ap'];
const exec = promisify(execFile);

/** The regions of docker-compose.yml, on ports and with volumes of their own. */
export class ComposeCluster extends ReachableRegions {
  private constructor(
    private readonly project: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    super(
      REGIONS.map((name) => ({
        name,
        http: `http://127.0.0.1:${environment[`MERIDIAN_${name.toUpperCase()}_PORT`]}`,
        postgres: `postgres://app:${environment.MERIDIAN_POSTGRES_PASSWORD}@127.0.0.1:${environment[`MERIDIAN_${name.toUpperCase()}_PG_PORT`]}/app`,
      })),
    );
  }

  static async start(): Promise<ComposeCluster> {
    const project = `meridian-test-${process.pid}`;
    const names = REGIONS.flatMap((name) => [name, `${name}_PG`]).map((name) => `MERIDIAN_${name.toUpperCase()}_PORT`);
    const ports = await freePorts(names.length + 1);
    const cluster = new ComposeCluster(project, {
      ...Object.fromEntries([...names, 'MERIDIAN_KAFKA_PORT'].map((name, i) => [name, String(ports[i])])),
      MERIDIAN_SECRET: randomBytes(32).toString('hex'),
      MERIDIAN_POSTGRES_PASSWORD: randomBytes(16).toString('hex'),
      MERIDIAN_IMAGE: project,
    });
    await cluster.buildImage();
    try {
      await cluster.compose('up', '-d');
      for (const name of REGIONS) await cluster.untilReady(name, 180_000);
      return cluster;
    } catch (error) {
      process.stderr.write(await cluster.compose('logs', '--tail=50').catch(String));
      await cluster.stop();
      throw error;
    }
  }

  get kafka(): string {
    return `127.0.0.1:${this.environment.MERIDIAN_KAFKA_PORT}`;
  }

  /** `docker-compose …`, whichever of its two generations is installed. */
  async compose(...args: string[]): Promise<string> {
    const [command, ...first] = (await isInstalled('docker-compose')) ? ['docker-compose'] : ['docker', 'compose'];
    return this.run(command, [...first, '-p', this.project, ...args]);
  }

  async healthyContainers(): Promise<number> {
    return (await this.listed('--filter', 'health=healthy')).length;
  }

  /** How a stopped service ended: 137 when it had to be killed. */
  async exitCode(service: string): Promise<number> {
    const name = `label=com.docker.compose.service=${service}`;
    const [id] = await this.listed('-a', '--filter', name);
    return Number(await this.run('docker', ['inspect', '--format', '{{.State.ExitCode}}', id!]));
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.compose('down', '-v', '-t', '5');
    await this.run('docker', ['image', 'rm', '-f', this.project]);
  }

  /** Once, and not by compose, which would do it for each region. */
  private async buildImage(): Promise<void> {
    await this.run(process.execPath, ['infra/docker/stage.mjs']);
    const image = process.env['MERIDIAN_TEST_NODE_IMAGE'];
    const argument = image === undefined ? [] : ['--build-arg', `NODE_IMAGE=${image}`];
    await this.run('docker', ['build', '-q', '-t', this.project, ...argument, '.meridian/image']);
  }

  private async listed(...filters: string[]): Promise<string[]> {
    const ofProject = ['--filter', `label=com.docker.compose.project=${this.project}`];
    return (await this.run('docker', ['ps', '-q', ...ofProject, ...filters])).split('\n').filter(Boolean);
  }

  private async run(command: string, args: readonly string[]): Promise<string> {
    // The local images have no counterpart in a registry, and BuildKit would ask one.
    const env = { ...process.env, ...this.environment, DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' };
    return (await exec(command, args, { cwd: ROOT, env, maxBuffer: 1 << 26 })).stdout;
  }
}

const isInstalled = (command: string): Promise<boolean> =>
  exec(command, ['version']).then(
    () => true,
    () => false,
  );
