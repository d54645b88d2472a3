import type { Candidate, Leg, Region, Setting } from './candidate.js';
import { Link } from './links.js';
import { MeridianService } from './meridian-service.js';
import { allCaughtUp, dropRegions, freshRegions } from './regions.js';

/** Meridian over the direct transport, configured by nothing but what it cannot do without. */
export const meridian = (dir: string, basePort: number): Candidate => ({
  name: 'meridian',
  start: async (pool, setting): Promise<Leg> => {
    const regions = await freshRegions(pool, 'meridian', setting);
    const { services, links } = await wire(dir, basePort, regions, setting.cuttable ?? false);
    const stop = async () => {
      await Promise.all(services.map((service) => service.stop()));
      for (const link of links) link.close();
      await dropRegions(regions);
    };
    try {
      await Promise.all(services.map((service) => service.start()));
      await enrol(services[0]!, setting);
      if (!(await allCaughtUp(regions, 30_000))) throw new Error('Meridian did not begin to replicate');
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      candidate: 'meridian',
      regions,
      servicePids: () => services.map(({ pid }) => pid),
      cut: async () => links.forEach((link) => link.cut()),
      heal: async () => links.forEach((link) => link.mend()),
      stopReceiving: (region) => services[region]!.stop(),
      startReceiving: (region) => services[region]!.start(),
      // The record is there in the loser's region first.
      conflicts: async () => Math.max(...(await Promise.all(regions.map(conflictsIn)))),
      rest: (region) => services[region]!.address,
      stop,
    };
  },
});

async function conflictsIn({ db }: Region): Promise<number> {
  return Number((await db.query<{ n: string }>('select count(*) as n from meridian.conflict')).rows[0]?.n);
}

async function wire(dir: string, basePort: number, regions: readonly Region[], cuttable: boolean) {
  const links: Link[] = [];
  const services: MeridianService[] = [];
  for (const region of regions) {
    const peers: Record<string, string> = {};
    for (const peer of regions) {
      if (peer === region) continue;
      const link = cuttable ? await Link.to(basePort + peer.index) : undefined;
      if (link) links.push(link);
      peers[peer.name] = `http://127.0.0.1:${link?.port ?? basePort + peer.index}`;
    }
    services.push(new MeridianService(dir, region, basePort + region.index, peers));
  }
  return { services, links };
}

async function enrol(service: MeridianService, setting: Setting): Promise<void> {
  for (const table of new Set([...setting.tables, 'marker'] as const)) {
    const counters = Object.fromEntries((setting.counters?.[table] ?? []).map((column) => [column, 'counter']));
    await service.request('PUT', `/v1/tables/public.${table}`, { columns: counters });
  }
}
