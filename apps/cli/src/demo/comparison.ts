import type { LocalRegion } from '../dev/local-cluster.js';
import { SHOP_TABLES, withClient } from '../dev/shop.js';

interface TableDigest {
  readonly rows: number;
  readonly digest: string;
}

/** Polls until every table has the same rows in every region. */
export async function untilEqual(regions: readonly LocalRegion[], deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const digests = await Promise.all(regions.map(digestsOf));
    if (digests.every((d) => JSON.stringify(d) === JSON.stringify(digests[0]))) return;
    if (Date.now() > deadline)
      throw new Error(`the regions still differ after ${deadlineMs / 1000} s: ${JSON.stringify(digests)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Waits until every region has what every region had. Twice, for applying may write conflict records, which travel on: the
 * session token of a read stands for all that its region had, and a read with a token waits for it.
 */
export async function untilSettled(regions: readonly LocalRegion[], deadlineMs: number): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const tokens = await Promise.all(regions.map((region) => tokenOf(region)));
    await Promise.all(regions.flatMap((region) => tokens.map((token) => untilSeen(region, token, deadlineMs))));
  }
}

const read = (region: LocalRegion, headers: Record<string, string>): Promise<Response> =>
  fetch(`${region.http}/v1/data/items?limit=1`, { headers });

async function tokenOf(region: LocalRegion): Promise<string> {
  const token = (await read(region, {})).headers.get('meridian-session');
  if (token === null) throw new Error(`${region.name} answered without a session token`);
  return token;
}

async function untilSeen(region: LocalRegion, token: string, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await read(region, { 'meridian-session': token })).ok)
    if (Date.now() > deadline) throw new Error(`${region.name} has not caught up after ${deadlineMs / 1000} s`);
}

const digestsOf = (region: LocalRegion): Promise<TableDigest[]> =>
  withClient(region.postgres, async (client) => {
    const digests: TableDigest[] = [];
    for (const table of SHOP_TABLES) {
      const { rows } = await client.query<TableDigest>(
        `SELECT count(*)::int AS rows, coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")), '') AS digest FROM ${table} t`,
      );
      digests.push(rows[0]!);
    }
    return digests;
  });

/** Prints rows per table and the counters beside what was acknowledged. True: equal everywhere, and no increment lost. */
export async function compareRegions(
  regions: readonly LocalRegion[],
  stock: ReadonlyMap<string, number>,
): Promise<boolean> {
  const print = (cells: readonly (string | number)[]) =>
    process.stdout.write(
      `${cells.map((c, i) => (i === 0 ? String(c).padEnd(24) : String(c).padStart(10))).join('')}\n`,
    );
  print(['rows', ...regions.map((r) => r.name), 'equal']);
  const digests = await Promise.all(regions.map(digestsOf));
  let good = true;
  for (const [i, table] of SHOP_TABLES.entries()) {
    const equal = digests.every((d) => d[i]!.digest === digests[0]![i]!.digest);
    good &&= equal;
    print([table, ...digests.map((d) => d[i]!.rows), equal ? 'yes' : 'NO']);
  }
  print(['stock (counter)', ...regions.map((r) => r.name), 'expected']);
  const held = await Promise.all(regions.map(stockOf));
  for (const [item, expected] of stock) {
    good &&= held.every((h) => h.get(item) === expected);
    print([item, ...held.map((h) => h.get(item) ?? 'none'), expected]);
  }
  process.stdout.write(
    good ? 'All regions are equal, and every increment is there.\n' : 'THE REGIONS DIFFER, or increments were lost.\n',
  );
  return good;
}

const stockOf = (region: LocalRegion): Promise<Map<string, number>> =>
  withClient(region.postgres, async (client) => {
    const { rows } = await client.query<{ id: string; stock: number }>('SELECT id, stock FROM items');
    return new Map(rows.map((row) => [row.id, row.stock]));
  });
