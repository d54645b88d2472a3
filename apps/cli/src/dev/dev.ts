import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { regionId } from '@meridian/core';
import { LocalCluster, type LocalClusterOptions } from './local-cluster.js';
import { openShop } from './shop.js';
import { Traffic } from './traffic.js';

export interface DevOptions {
  readonly regions: string;
  readonly port: string;
  readonly pgPort: string;
  readonly data?: string;
  readonly transport: string;
  readonly brokers?: string;
  readonly traffic: boolean;
  readonly empty?: boolean;
}

const TRAFFIC_PACE_MS = 250;

/** `meridian dev`: a cluster on this machine until Ctrl-C. */
export async function dev(options: DevOptions): Promise<void> {
  const settings = clusterOptions(options);
  const stop = untilSignal();
  const cluster = await LocalCluster.start(settings);
  const traffic: Traffic[] = [];
  try {
    if (options.empty !== true) await openShop(cluster.regions);
    printRegions(cluster, settings.dataDir);
    process.stdout.write('ready\n');
    if (options.traffic && options.empty !== true) {
      traffic.push(...cluster.regions.map((region) => new Traffic(region, TRAFFIC_PACE_MS)));
      for (const source of traffic) source.start();
    }
    await stop;
  } finally {
    await Promise.all(traffic.map((source) => source.stop()));
    await cluster.stop();
  }
}

export function clusterOptions(options: DevOptions): LocalClusterOptions {
  const regions = options.regions.split(',').map((name) => regionId(name.trim()));
  if (new Set(regions).size !== regions.length)
    throw new Error(`--regions ${options.regions}: a region is named twice`);
  const dataDir = options.data ?? join(tmpdir(), `meridian-dev-${userInfo().username}`);
  return {
    regions,
    port: portNumber('--port', options.port),
    pgPort: portNumber('--pg-port', options.pgPort),
    dataDir,
    transport: transportOf(options),
    links: false,
  };
}

function transportOf({ transport, brokers }: DevOptions): LocalClusterOptions['transport'] {
  if (transport === 'direct') return 'direct';
  if (transport !== 'kafka') throw new Error(`--transport ${transport}: choose direct or kafka`);
  const named = brokers ?? process.env.MERIDIAN_TRANSPORT_KAFKA_BROKERS;
  if (named === undefined || named === '')
    throw new Error(
      '--transport kafka needs a broker: --brokers 127.0.0.1:9092 (for example the one of docker-compose.yml)',
    );
  return { kafka: { brokers: named.split(',') } };
}

function portNumber(option: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_000)
    throw new Error(`${option} ${text}: a port is a number from 1 to 65000`);
  return port;
}

function printRegions(cluster: LocalCluster, dataDir: string): void {
  for (const { name, http, postgres } of cluster.regions)
    process.stdout.write(`${name.padEnd(8)} ${http}  psql ${postgres}\n`);
  process.stdout.write(`API documentation: ${cluster.regions[0]!.http}/docs   data: ${dataDir}\n`);
}

/** Resolves at the first Ctrl-C or SIGTERM; further ones (a supervisor signals the whole group) do not end the orderly stop. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}
