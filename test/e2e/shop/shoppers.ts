import type { PoolClient } from 'pg';
import type { ReachableRegions } from '../reachable-regions.js';
import type { Acknowledged } from './acknowledged.js';
import { CARTS, CUSTOMERS, PRODUCTS, PROFILE_COLUMNS } from './shop-tables.js';

/** So few addresses that regions which cannot see each other give the same one away. */
const ADDRESSES = 40;
const UNIQUE_VIOLATION = '23505';

/** Customers of one region, by plain SQL and by REST, as fast as they can, until they are sent home. */
export class Shoppers {
  private done = 0;
  private going = true;
  private readonly running: Promise<void>[] = [];
  private readonly ownCustomers: string[] = [];

  constructor(
    private readonly cluster: ReachableRegions,
    private readonly region: string,
    private readonly random: () => number,
    private readonly acknowledged: Acknowledged,
  ) {}

  start(): void {
    const bySql = [() => this.order(), () => this.fillCart(), () => this.profile(), () => this.signUp()];
    const byRest = [() => this.profileByRest(), () => this.signUpByRest(), () => this.restockByRest()];
    this.running.push(this.shop(bySql), this.shop(bySql), this.shop(bySql), this.shop(byRest));
  }

  /** Rejects when a write ended in a way that nobody expects. */
  async sendHome(): Promise<void> {
    this.going = false;
    await Promise.all(this.running);
  }

  private async shop(errands: readonly (() => Promise<void>)[]): Promise<void> {
    while (this.going) {
      await this.pick(errands)();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  private async order(): Promise<void> {
    const [id, qty, product] = [this.mark(), 1 + this.upTo(3), this.pick(PRODUCTS)];
    const lines = 1 + this.upTo(2);
    const customer = this.pick([...CUSTOMERS, ...this.ownCustomers.slice(-1)]);
    const placed = await this.transaction(async (client) => {
      // Whose address another region gave away earlier is no customer here any more.
      const known = await client.query('SELECT FROM customers WHERE id = $1 FOR KEY SHARE', [customer]);
      if (known.rowCount === 0) return false;
      await client.query('INSERT INTO orders VALUES ($1, $2, $3)', [id, customer, this.region]);
      await client.query('INSERT INTO order_items SELECT $1, line, $2, $3 FROM generate_series(1, $4::int) AS line', [
        id,
        product,
        qty,
        lines,
      ]);
      await client.query('UPDATE products SET stock = stock - $2 WHERE id = $1', [product, qty * lines]);
      return true;
    });
    if (!placed) return;
    this.acknowledged.orders.set(id, lines);
    this.acknowledged.moved(product, -qty * lines);
  }

  private async fillCart(): Promise<void> {
    const [cart, item] = [this.pick(CARTS), this.mark()];
    if (this.random() < 0.3) {
      const taken = await this.transaction(async (client) => {
        const held = await client.query<{ items: string[] }>('SELECT items FROM carts WHERE id = $1 FOR UPDATE', [
          cart,
        ]);
        const out = held.rows[0]!.items.filter(() => this.random() < 0.2);
        await client.query('UPDATE carts SET items = $2 WHERE id = $1', [
          cart,
          held.rows[0]!.items.filter((i) => !out.includes(i)),
        ]);
        return out;
      });
      this.acknowledged.tookOut(cart, taken);
      return;
    }
    // Before it is done: another region may have it, and take it out, while the answer is on its way.
    this.acknowledged.putInto(cart, item);
    await this.cluster.sql(this.region, 'UPDATE carts SET items = items || $2::text WHERE id = $1', [cart, item]);
  }

  private async profile(): Promise<void> {
    const [customer, column, value] = [this.pick(CUSTOMERS), this.pick(PROFILE_COLUMNS), this.mark()];
    const [was] = await this.cluster.sql<{ was: string }>(
      this.region,
      `WITH was AS (SELECT ${column} AS was FROM customers WHERE id = $1 FOR UPDATE)
       UPDATE customers SET ${column} = $2 FROM was WHERE id = $1 RETURNING was.was`,
      [customer, value],
    );
    this.acknowledged.wrote(customer, column, value, was!.was);
  }

  private async signUp(): Promise<void> {
    const [id, email] = [this.mark(), this.address()];
    const refused = await this.cluster
      .sql(this.region, 'INSERT INTO customers (id, email) VALUES ($1, $2)', [id, email])
      .then(() => false)
      .catch((error: Error & { readonly code?: string }) => {
        if (error.code !== UNIQUE_VIOLATION) throw error;
        return true;
      });
    this.signedUp(id, email, refused);
  }

  private async signUpByRest(): Promise<void> {
    const [id, email] = [this.mark(), this.address()];
    const answer = await this.cluster.rest(this.region, 'POST', '/v1/data/customers', { id, email });
    const text = await answer.text();
    if (answer.status !== 201 && !(answer.status === 409 && text.includes('unique_violation')))
      throw new Error(`signing up by REST: ${answer.status} ${text}`);
    this.signedUp(id, email, answer.status === 409);
  }

  private signedUp(id: string, email: string, refused: boolean): void {
    if (refused) return void this.acknowledged.refusedAddresses++;
    this.acknowledged.signUps.set(id, email);
    this.ownCustomers.push(id);
  }

  /** By what was read: somebody else's write in between is refused, and nothing is acknowledged. */
  private async profileByRest(): Promise<void> {
    const [customer, column, value] = [this.pick(CUSTOMERS), this.pick(PROFILE_COLUMNS), this.mark()];
    const read = await this.patchedAsRead(`/v1/data/customers/${customer}`, () => ({ [column]: value }));
    if (read !== null) this.acknowledged.wrote(customer, column, value, String(read[column]));
  }

  /** A value that is written to a counter counts by its difference to what showed. */
  private async restockByRest(): Promise<void> {
    const product = this.pick(PRODUCTS);
    const read = await this.patchedAsRead(`/v1/data/products/${product}`, (row) => ({
      stock: Number(row['stock']) + 5,
    }));
    if (read !== null) this.acknowledged.moved(product, 5);
  }

  private async patchedAsRead(
    path: string,
    change: (row: Record<string, unknown>) => object,
  ): Promise<Record<string, unknown> | null> {
    const found = await this.cluster.rest(this.region, 'GET', path);
    const row = (await found.json()) as Record<string, unknown>;
    const answer = await this.cluster.rest(this.region, 'PATCH', path, change(row), {
      'if-match': found.headers.get('etag')!,
    });
    const text = await answer.text();
    if (answer.status === 412) return null;
    if (!answer.ok) throw new Error(`PATCH ${path}: ${answer.status} ${text}`);
    return row;
  }

  private async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.cluster.pool(this.region).connect();
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  private mark(): string {
    return `${this.region}-${++this.done}`;
  }

  private address(): string {
    return `somebody${this.upTo(ADDRESSES)}@example.com`;
  }

  private upTo(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.upTo(from.length)]!;
  }
}
