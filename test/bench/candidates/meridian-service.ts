import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_FLAGS } from '../../../apps/cli/src/dev/service-process.js';
import { clockEnvironment } from '../clock.js';
import { waitUntil } from '../measure/wait.js';
import type { Region } from './candidate.js';

/** What the `meridian` command comes to after its set-up; started directly, so that the pid is the service's own. */
const CLI = join(__dirname, '..', '..', '..', 'apps', 'cli', 'src', 'main.js');
const READY_LIMIT_MS = 60_000;

/** One region's service, a process of its own, as in production. */
export class MeridianService {
  private child: ChildProcess | undefined;
  private readonly killOnExit = (): void => void this.child?.kill('SIGKILL');

  constructor(
    private readonly dir: string,
    private readonly region: Region,
    readonly port: number,
    private readonly peers: Readonly<Record<string, string>>,
  ) {}

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves with the time at which it first answered at all; what it has to catch up with it begins then at the earliest. */
  async start(): Promise<number> {
    const config = `${this.files}.yaml`;
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(this.config(), null, 2));
    const log = openSync(`${this.files}.log`, 'a');
    const more = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
    const child = spawn(process.execPath, [...SERVICE_FLAGS, ...more, CLI, 'serve', '--config', config], {
      env: { ...process.env, ...clockEnvironment(this.region.server.clockSeconds) },
      stdio: ['ignore', log, log],
      // A session of its own, as PostgreSQL's processes have: Linux shares the cores out between sessions first (autogroup).
      detached: true,
    });
    this.child = child;
    process.once('exit', this.killOnExit);
    let answeredAt = 0;
    const ready = await waitUntil(
      async () => {
        const status = await this.status();
        if (status > 0 && answeredAt === 0) answeredAt = Date.now();
        return status === 200 || child.exitCode !== null;
      },
      READY_LIMIT_MS,
      5,
    );
    if (!ready || child.exitCode !== null)
      throw new Error(`the service in ${this.region.name} did not get ready: ${this.logTail()}`);
    return answeredAt;
  }

  async stop(): Promise<void> {
    process.off('exit', this.killOnExit);
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(killer);
  }

  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.address + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${path} in ${this.region.name}: ${response.status} ${text.slice(0, 600)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  private async status(): Promise<number> {
    try {
      const response = await fetch(`${this.address}/readyz`);
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  private config(): unknown {
    return {
      cluster: 'bench',
      secret: 'bench-secret-of-the-benchmark-only-0123456789',
      region: this.region.name,
      http: { host: '127.0.0.1', port: this.port },
      postgres: { url: this.region.server.url(this.region.database, 'app') },
      peers: this.peers,
      transport: 'direct',
    };
  }

  private get files(): string {
    return join(this.dir, `service-${this.region.database}-${this.region.name}`);
  }

  private logTail(): string {
    return readFileSync(`${this.files}.log`, 'utf8').slice(-1_500);
  }
}
