import { Client } from 'pg';
import type { LocalRegion } from './local-cluster.js';

/** A small shop: what `meridian dev` and the demo run on. Ordinary SQL; Meridian adds nothing to these tables. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS customers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL UNIQUE,
  name text NOT NULL
);
CREATE TABLE IF NOT EXISTS items (
  id text PRIMARY KEY,
  name text NOT NULL,
  price numeric(10,2) NOT NULL,
  stock integer NOT NULL DEFAULT 0,
  note text
);
CREATE TABLE IF NOT EXISTS orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  item_id text NOT NULL REFERENCES items (id),
  customer_id uuid REFERENCES customers (id),
  qty integer NOT NULL,
  placed_in text NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT now()
);`;

/** Parents before children, for a foreign key is followed to enrolled tables. */
const POLICIES: readonly (readonly [string, object])[] = [
  ['public.customers', {}],
  ['public.items', { columns: { stock: 'counter' } }],
  ['public.orders', {}],
];

export const ITEMS = ['coat', 'hat', 'scarf', 'boots', 'gloves'] as const;
export const SHOP_TABLES = POLICIES.map(([table]) => table);

/** Makes the tables in every region, enrols them in one for all, and stocks the shop there. Idempotent. */
export async function openShop(regions: readonly LocalRegion[]): Promise<void> {
  for (const region of regions) await withClient(region.postgres, (client) => client.query(SCHEMA));
  const [first] = regions;
  for (const [table, policy] of POLICIES) await enrol(first!, table, policy);
  await withClient(first!.postgres, (client) =>
    client.query(
      `INSERT INTO items (id, name, price, stock) SELECT i, initcap(i), 10 + 5 * n, 1000 FROM unnest($1::text[]) WITH ORDINALITY AS t (i, n)
       ON CONFLICT DO NOTHING`,
      [ITEMS],
    ),
  );
}

async function enrol(region: LocalRegion, table: string, policy: object): Promise<void> {
  const answer = await fetch(`${region.http}/v1/tables/${table}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(policy),
  });
  if (!answer.ok)
    throw new Error(`enrolling ${table} in ${region.name} failed with ${answer.status}: ${await answer.text()}`);
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
