import { Pool } from 'pg';

export interface ReachableRegion {
  readonly name: string;
  readonly http: string;
  readonly postgres: string;
}

/** Regions driven by SQL and REST as their users do, whoever started them. */
export class ReachableRegions<Region extends ReachableRegion = ReachableRegion> {
  private readonly pools = new Map<string, Pool>();

  constructor(private readonly reachable: readonly Region[]) {}

  region(name: string): Region {
    return this.reachable.find((r) => r.name === name)!;
  }

  get names(): readonly string[] {
    return this.reachable.map((r) => r.name);
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

  async isReady(name: string): Promise<boolean> {
    return (await this.rest(name, 'GET', '/readyz').catch(() => null))?.ok === true;
  }

  untilReady(name: string, deadlineMs?: number): Promise<void> {
    return until(() => this.isReady(name), `${name} is ready`, deadlineMs);
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

  async disconnect(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }
}

export async function until(condition: () => Promise<boolean>, what: string, deadlineMs = 30_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
