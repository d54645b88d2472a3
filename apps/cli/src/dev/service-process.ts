import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';

const TREE = join(__dirname, '..', '..', '..', '..');
/** The built CLI, whether this file runs from dist/ or, under jest, from source. */
const CLI = [join(TREE, 'apps/cli/src/main.js'), join(TREE, 'dist/apps/cli/src/main.js')].find((file) =>
  existsSync(file),
)!;

/** How long a service may take to drain and stop before it is killed. */
const STOP_DEADLINE_MS = 10_000;

/**
 * Node's own for a service; infra/bootstrap/run.mjs and infra/docker/Dockerfile have the same. V8 lets the space for new objects grow
 * with the load: held at 8 MB, a busy service is 197 to 214 MB instead of 304, at the same rate (npm run bench -- --only 2).
 */
export const SERVICE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=8'];

/** One region's service as a process of its own; started again when it dies, as a supervisor would in production. */
export class ServiceProcess {
  private child: ChildProcess | null = null;
  private stopping = false;

  constructor(
    readonly region: string,
    readonly configFile: string,
    readonly logFile: string,
    /** Another program that takes the CLI's arguments: tests put failpoints in between. */
    private readonly program: string = CLI,
  ) {}

  start(): void {
    const log = createWriteStream(this.logFile, { flags: 'a' });
    const child = spawn(process.execPath, [...SERVICE_FLAGS, this.program, 'serve', '--config', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: process.env,
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('exit', (code, signal) => {
      log.end();
      if (this.stopping) return;
      process.stderr.write(
        `meridian: ${this.region}'s service ended (${signal ?? `status ${code}`}), starting it again; see ${this.logFile}\n`,
      );
      setTimeout(() => this.stopping || this.start(), 500);
    });
    this.child = child;
  }

  /** SIGKILL. The supervisor starts it again, unless it is never to come back. */
  kill9(comeBack = true): void {
    this.stopping ||= !comeBack;
    this.child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(deadline);
  }
}
