import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { LocalCluster, type LocalClusterOptions, type LocalRegion } from '../../apps/cli/src/dev/local-cluster.js';

/** Whole regions as processes: the service as users start it, on embedded PostgreSQL. */
export class TestCluster {
  private readonly pools = new Map<string, Pool>();

  private constructor(
    readonly local: LocalCluster,
    private readonly dataDir: string,
  ) {}

  static async start(
    regions: readonly string[],
    firstPort: number,
    more: Partial<LocalClusterOptions> = {},
  ): Promise<TestCluster> {
    const dataDir = mkdtempSync(join(tmpdir(), 'meridian-e2e-'));
    const options = {
      regions,
      port: firstPort,
      pgPort: firstPort + 50,
      dataDir,
      transport: 'direct' as const,
      links: true,
      ...more,
    };
    return new TestCluster(await LocalCluster.start(options), dataDir);
  }

  region(name: string): LocalRegion {
    return this.local.regions.find((r) => r.name === name)!;
  }

  get names(): readonly string[] {
    return this.local.regions.map((r) => r.name);
  }

  pool(name: string): Pool {
    let pool = this.pools.get(name);
    if (pool === undefined) {
      pool = new Pool({ connectionString: this.region(name).postgres, max: 8 });
      pool.on('error', () => undefined);
      this.pools.set(name, pool);
    }
    return pool;
  }

  async sql<T extends object = Record<string, unknown>>(
    name: string,
    text: string,
    values: unknown[] = [],
  ): Promise<T[]> {
    return (await this.pool(name).query<T>(text, values)).rows;
  }

  async everywhere(text: string): Promise<void> {
    for (const name of this.names) await this.sql(name, text);
  }

  async rest(
    name: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.region(name).http}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async enrol(table: string, policy: object = {}): Promise<void> {
    const answer = await this.rest(this.names[0]!, 'PUT', `/v1/tables/${encodeURIComponent(table)}`, policy);
    if (!answer.ok) throw new Error(`enrolling ${table}: ${answer.status} ${await answer.text()}`);
  }

  async conflicts(
    name: string,
  ): Promise<{ kind: string; table: string; key: unknown; reason: string; status: string }[]> {
    const answer = await this.rest(name, 'GET', '/v1/conflicts?limit=1000');
    return ((await answer.json()) as { items: never[] }).items;
  }

  /** The rows of a table in every region, as text in the key's order; equal ones are one entry. */
  async contents(query: string): Promise<unknown[][]> {
    return Promise.all(this.names.map((name) => this.sql(name, query)));
  }

  /** Waits until the query answers the same in every region (and satisfies `done`), and resolves to that answer. */
  async equal(
    query: string,
    done: (rows: Record<string, unknown>[]) => boolean = () => true,
    deadlineMs = 30_000,
  ): Promise<Record<string, unknown>[]> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const all = (await this.contents(query)) as Record<string, unknown>[][];
      if (all.every((rows) => JSON.stringify(rows) === JSON.stringify(all[0])) && done(all[0]!)) return all[0]!;
      if (Date.now() > deadline)
        throw new Error(
          `not equal after ${deadlineMs} ms: ${this.names.map((n, i) => `${n}: ${JSON.stringify(all[i]).slice(0, 2000)}`).join('\n')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
    await this.local.stop();
    if (process.env.MERIDIAN_KEEP_DATA === undefined) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export async function until(condition: () => Promise<boolean>, what: string, deadlineMs = 30_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
