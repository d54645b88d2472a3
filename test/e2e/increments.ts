import type { ReachableRegions } from './reachable-regions.js';

/**
 * Increments of shared counters, each in one transaction with a row of its own, from every region until stopped. Whatever
 * was acknowledged must be there in the end; whatever is there must be counted exactly once (I3, I7).
 */
export class Increments {
  static readonly SCHEMA = `
    CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0, note text);
    CREATE TABLE receipts (id uuid PRIMARY KEY, counter int NOT NULL, region text NOT NULL);`;
  static readonly COUNTERS = 5;

  private readonly acknowledged: string[] = [];
  private readonly failures = new Map<string, number>();
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: ReachableRegions,
    private readonly random: () => number,
  ) {}

  static async prepare(cluster: ReachableRegions): Promise<void> {
    await cluster.everywhere(Increments.SCHEMA);
    await cluster.enrol('public.counters', { columns: { n: 'counter' } });
    await cluster.enrol('public.receipts');
    await cluster.sql(cluster.names[0]!, `INSERT INTO counters (id) SELECT generate_series(1, ${Increments.COUNTERS})`);
    await cluster.equal('SELECT id FROM counters ORDER BY id', (rows) => rows.length === Increments.COUNTERS);
  }

  start(writersPerRegion = 2): void {
    const writers = this.cluster.names.flatMap((name) =>
      Array.from({ length: writersPerRegion }, () => this.write(name)),
    );
    this.running = Promise.all(writers);
  }

  get count(): number {
    return this.acknowledged.length;
  }

  private async write(region: string): Promise<void> {
    while (!this.stopped) {
      const id = crypto.randomUUID();
      const counter = 1 + Math.floor(this.random() * Increments.COUNTERS);
      try {
        await this.cluster.sql(
          region,
          `WITH r AS (INSERT INTO receipts VALUES ($1, $2, $3)) UPDATE counters SET n = n + 1, note = $3 WHERE id = $2`,
          [id, counter, region],
        );
        this.acknowledged.push(id);
      } catch (error) {
        // The database was killed under it: unknown, hence not acknowledged.
        const message = (error as Error).message;
        this.failures.set(message, (this.failures.get(message) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** Waits until all regions are equal, and checks every increment. */
  async verify(deadlineMs = 60_000): Promise<void> {
    const query =
      'SELECT c.id, c.n::int AS n, (SELECT count(*)::int FROM receipts r WHERE r.counter = c.id) AS receipts FROM counters c ORDER BY id';
    const rows = (await this.cluster.equal(query, (all) => all.every((r) => r.n === r.receipts), deadlineMs)) as {
      n: number;
    }[];
    await this.cluster.equal('SELECT * FROM counters ORDER BY id');
    const present = new Set(
      (await this.cluster.equal('SELECT id FROM receipts ORDER BY id')).map((r) => r.id as string),
    );
    const lost = this.acknowledged.filter((id) => !present.has(id));
    expect({ lost, total: rows.reduce((sum, r) => sum + r.n, 0) }).toEqual({ lost: [], total: present.size });
    expect(this.acknowledged.length).toBeGreaterThan(0);
  }
}

/** Mulberry32: small, seeded, replayable. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
