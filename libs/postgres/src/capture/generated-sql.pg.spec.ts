import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { regionId, type TableName } from '@meridian/core';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { readTable } from '../catalog/read-table.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import { functionsSql, triggersSql } from './install.js';

/** `REWRITE=1` writes what is generated now; the diff is to be reviewed. */
const GOLDEN = join(__dirname, 'golden', 'orders.sql');

describe('generated capture', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await templateDatabase();
  });
  afterAll(() => db.drop());

  it('is the SQL that was reviewed, for a table with one of everything', async () => {
    const client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query(`
      SET search_path = '';
      CREATE TABLE public.customers (id bigint PRIMARY KEY, code text, UNIQUE (code, id));
      CREATE TABLE public.orders (
        id bigint, region "char", customer bigint REFERENCES public.customers, payer bigint, code text,
        note text, amount numeric(10,2) NOT NULL, currency text NOT NULL, total numeric GENERATED ALWAYS AS (amount * 2) STORED,
        seen int NOT NULL, at timestamptz, attributes jsonb, PRIMARY KEY (id, region), UNIQUE (note),
        FOREIGN KEY (code, payer) REFERENCES public.customers (code, id));
      CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER audit AFTER INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.nothing()`);
    const table = (await readTable(client, { schema: 'public', name: 'orders' }))!;
    await client.end();
    const policy = {
      groups: [['amount', 'currency']],
      columns: { seen: 'counter', note: { policy: 'lww', column: 'at' } },
    };
    const { spec } = resolvePolicy(policy, table, 7);
    const target = {
      ...{
        table: { ...table, oid: 16_384 },
        spec: spec!,
        granularity: 'column' as const,
        wallColumn: null,
        region: regionId('eu'),
        applyRole: 'meridian_apply_0123456789',
      },
      epochs: new Map([['public.customers' as TableName, 3]]),
    };
    const sql = `${functionsSql(target)}\n\n${triggersSql(target)}\n`;
    if (process.env['REWRITE'] !== undefined) writeFileSync(GOLDEN, sql);
    expect(sql).toBe(readFileSync(GOLDEN, 'utf8'));
  });
});
