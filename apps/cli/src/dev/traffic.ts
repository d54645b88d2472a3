import { Pool } from 'pg';
import type { LocalRegion } from './local-cluster.js';
import { ITEMS } from './shop.js';

/** What one region's traffic got acknowledged, to be compared with what all regions hold in the end. */
export interface Acknowledged {
  writes: number;
  /** Sum of what was added to each item's stock. */
  readonly stock: Map<string, number>;
}

/** Customers, orders and price changes of one region, by plain SQL on its own database, until stopped. */
export class Traffic {
  readonly acknowledged: Acknowledged = { writes: 0, stock: new Map() };
  private readonly pool: Pool;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly region: LocalRegion,
    /** Milliseconds between two writes. */
    private readonly paceMs: number,
  ) {
    this.pool = new Pool({ connectionString: region.postgres, max: 1 });
    this.pool.on('error', () => undefined);
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<Acknowledged> {
    this.stopped = true;
    await this.running;
    await this.pool.end();
    return this.acknowledged;
  }

  private async run(): Promise<void> {
    for (let n = 0; !this.stopped; n++) {
      try {
        await this.write(n);
        this.acknowledged.writes++;
      } catch (error) {
        process.stderr.write(`meridian: traffic in ${this.region.name}: ${(error as Error).message}\n`);
      }
      await new Promise((resolve) => setTimeout(resolve, this.paceMs));
    }
  }

  private async write(n: number): Promise<void> {
    const item = ITEMS[n % ITEMS.length]!;
    const { name } = this.region;
    if (n % 7 === 3) {
      await this.pool.query('UPDATE items SET price = $2 WHERE id = $1', [item, (10 + Math.random() * 90).toFixed(2)]);
    } else if (n % 7 === 5) {
      await this.pool.query('UPDATE items SET note = $2 WHERE id = $1', [
        item,
        `seen in ${name} at ${new Date().toISOString()}`,
      ]);
    } else if (n % 2 === 0) {
      await this.order(item, name);
    } else {
      await this.restock(item, 2);
    }
  }

  private async restock(item: string, by: number): Promise<void> {
    await this.pool.query('UPDATE items SET stock = stock + $2 WHERE id = $1', [item, by]);
    this.added(item, by);
  }

  private async order(item: string, region: string): Promise<void> {
    await this.pool.query(
      `WITH sold AS (UPDATE items SET stock = stock - 1 WHERE id = $1)
       INSERT INTO orders (item_id, qty, placed_in) VALUES ($1, 1, $2)`,
      [item, region],
    );
    this.added(item, -1);
  }

  private added(item: string, by: number): void {
    this.acknowledged.stock.set(item, (this.acknowledged.stock.get(item) ?? 0) + by);
  }
}
