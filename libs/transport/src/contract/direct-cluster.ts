import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegionId } from '@meridian/core';
import { directTransport, type DirectEnd, type DirectOptions } from '../direct/compose.js';
import { MemoryLog } from './memory-log.js';
import type { ContractCluster } from './transport-contract.js';

export interface DirectRegion extends DirectEnd {
  readonly log: MemoryLog;
  readonly http: http.Server;
}

export interface DirectCluster extends ContractCluster {
  region(name: RegionId): DirectRegion;
}

/** Regions that speak real HTTP on 127.0.0.1. */
export async function directCluster(
  names: readonly RegionId[],
  options: Partial<DirectOptions> = {},
): Promise<DirectCluster> {
  const servers = new Map<RegionId, http.Server>();
  for (const name of names) servers.set(name, await listening(http.createServer()));
  const peers = Object.fromEntries([...servers].map(([name, server]) => [name, urlOf(server)]));
  const regions = new Map(names.map((name) => [name, end(name, servers.get(name)!, peers, options)]));
  return {
    region: (name) => regions.get(name)!,
    silence: (name) => closed(servers.get(name)!),
    stop: async () => {
      for (const region of regions.values()) {
        await region.transport.close();
        region.server.close();
      }
      await Promise.all([...servers.values()].map(closed));
    },
  };
}

function end(
  region: RegionId,
  server: http.Server,
  all: Readonly<Record<string, string>>,
  options: Partial<DirectOptions>,
): DirectRegion {
  const { [region]: _self, ...peers } = all;
  const log = new MemoryLog();
  const made = directTransport({ cluster: 'shop', secrets: ['s3cret'], region, peers, reader: log, ...options });
  server.on('request', (req, res) => void made.server.handle(req, res));
  return { ...made, log, http: server };
}

export async function listening(server: http.Server): Promise<http.Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export const urlOf = (server: http.Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

export async function closed(server: http.Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
