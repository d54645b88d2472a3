import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster, type LocalRegion } from '../dev/local-cluster.js';
import { ITEMS, openShop, withClient } from '../dev/shop.js';
import { Traffic } from '../dev/traffic.js';
import { untilSignal } from '../dev/dev.js';
import { compareRegions, untilEqual, untilSettled } from './comparison.js';
import { printConflicts } from './conflict-report.js';

const TRAFFIC_PACE_MS = 15;
const BEFORE_MS = 2_000;
const PARTITION_MS = 4_000;
const EQUAL_DEADLINE_MS = 60_000;
const STOCK = 1000;

export interface DemoOptions {
  readonly once?: boolean;
  readonly port: string;
  readonly pgPort: string;
}

/** `npm run demo`: three regions, writes in all of them, a partition, and what became of it all. Exit status 0: all equal. */
export async function demo(options: DemoOptions): Promise<number> {
  const stop = untilSignal();
  const dataDir = mkdtempSync(join(tmpdir(), 'meridian-demo-'));
  const started = Date.now();
  say('Starting three regions, each with its own PostgreSQL …');
  const cluster = await LocalCluster.start({
    regions: ['us', 'eu', 'ap'],
    port: Number(options.port),
    pgPort: Number(options.pgPort),
    dataDir,
    transport: 'direct',
    links: true,
  });
  try {
    await openShop(cluster.regions);
    await untilEqual(cluster.regions, EQUAL_DEADLINE_MS);
    say(`us, eu and ap serve after ${seconds(started)}; the shop's tables are enrolled.`);
    const good = await story(cluster);
    if (options.once !== true) {
      say('\nThe regions go on running. Try:');
      for (const { name, http, postgres } of cluster.regions) say(`  ${name}: ${http}/docs   psql ${postgres}`);
      say('Ctrl-C stops it all.');
      await stop;
    }
    return good ? 0 : 1;
  } finally {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function story(cluster: LocalCluster): Promise<boolean> {
  const { regions } = cluster;
  const traffic = regions.map((region) => new Traffic(region, TRAFFIC_PACE_MS));
  say('\nOrders, restocking and price changes in all three regions …');
  for (const source of traffic) source.start();
  await pause(BEFORE_MS);
  say(`eu is cut off for ${PARTITION_MS / 1000} s; everybody goes on writing …`);
  cluster.isolate('eu');
  await writeAgainstOneAnother(regions);
  await pause(PARTITION_MS);
  cluster.heal();
  const healed = Date.now();
  const acknowledged = await Promise.all(traffic.map((source) => source.stop()));
  await untilSettled(regions, EQUAL_DEADLINE_MS);
  await untilEqual(regions, EQUAL_DEADLINE_MS);
  say(`Healed; all regions are equal ${seconds(healed)} later.\n`);
  await printConflicts(regions[0]!);
  const expected = new Map(
    ITEMS.map((item) => [item, STOCK + acknowledged.reduce((sum, a) => sum + (a.stock.get(item) ?? 0), 0)]),
  );
  say(`\n${acknowledged.reduce((sum, a) => sum + a.writes, 0)} writes acknowledged.`);
  return compareRegions(regions, expected);
}

/** Conflicts for certain: one row, two regions that cannot see each other. */
async function writeAgainstOneAnother([us, eu]: readonly LocalRegion[]): Promise<void> {
  await sql(us!, `UPDATE items SET name = 'Winter coat' WHERE id = 'coat'`);
  await sql(eu!, `UPDATE items SET name = 'Rain coat' WHERE id = 'coat'`);
  await sql(us!, `INSERT INTO customers (email, name) VALUES ('ada@example.com', 'Ada (us)')`);
  await sql(eu!, `INSERT INTO customers (email, name) VALUES ('ada@example.com', 'Ada (eu)')`);
}

const sql = (region: LocalRegion, text: string): Promise<unknown> =>
  withClient(region.postgres, (client) => client.query(text));
const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));
const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
