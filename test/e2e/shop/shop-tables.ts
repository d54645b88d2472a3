import type { ReachableRegions } from '../reachable-regions.js';

/*
 * Stock counters, carts as sets, profiles merged by column, unique e-mail addresses, and orders with items: ordinary SQL, to which
 * Meridian adds nothing.
 */
const SCHEMA = `
CREATE TABLE products (id text PRIMARY KEY, price numeric(10,2) NOT NULL, stock bigint NOT NULL);
CREATE TABLE carts (id text PRIMARY KEY, items text[] NOT NULL DEFAULT '{}');
CREATE TABLE customers (id text PRIMARY KEY, email text NOT NULL UNIQUE, name text, phone text, city text);
CREATE TABLE orders (id text PRIMARY KEY, customer text NOT NULL REFERENCES customers, placed_in text NOT NULL);
CREATE TABLE order_items (order_id text REFERENCES orders, line int, product text NOT NULL REFERENCES products, qty int NOT NULL,
  PRIMARY KEY (order_id, line));`;

export const CUSTOMER_POLICY = { columns: { phone: 'lww', city: 'first-write' } } as const;

/** Parents before children. */
const POLICIES: readonly (readonly [table: string, policy: object])[] = [
  ['public.products', { columns: { stock: 'counter' } }],
  ['public.carts', { columns: { items: 'set' } }],
  ['public.customers', CUSTOMER_POLICY],
  ['public.orders', {}],
  ['public.order_items', {}],
];

export const CONTENTS = [
  'SELECT * FROM products ORDER BY id',
  'SELECT * FROM carts ORDER BY id',
  'SELECT * FROM customers ORDER BY id',
  'SELECT * FROM orders ORDER BY id',
  'SELECT * FROM order_items ORDER BY order_id, line',
] as const;

const ids = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

export const STOCK = 1_000;
export const PRODUCTS = ids('p', 4);
export const CARTS = ids('cart', 4);
export const CUSTOMERS = ids('c', 5);
export const PROFILE_COLUMNS = ['name', 'phone', 'city'] as const;

export async function openShop(cluster: ReachableRegions): Promise<void> {
  await cluster.everywhere(SCHEMA);
  for (const [table, policy] of POLICIES) await cluster.enrol(table, policy);
  const [first] = cluster.names;
  await cluster.sql(first!, `INSERT INTO products SELECT id, 1, ${STOCK} FROM unnest($1::text[]) AS id`, [PRODUCTS]);
  await cluster.sql(first!, 'INSERT INTO carts (id) SELECT unnest($1::text[])', [CARTS]);
  await cluster.sql(
    first!,
    `INSERT INTO customers SELECT id, id || '@example.com', id || ' at first', id || ' at first', id || ' at first' FROM unnest($1::text[]) AS id`,
    [CUSTOMERS],
  );
  for (const query of CONTENTS.slice(0, 3)) await cluster.equal(query, (rows) => rows.length >= CARTS.length);
}
