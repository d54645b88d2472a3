import { waitUntil } from '../measure/wait.js';
import type { Candidate, Leg, Region, Setting } from './candidate.js';
import { allCaughtUp, dropRegions, freshRegions } from './regions.js';

/** Logical replication both ways (a subscription to each other region, origin = none), everything else as it comes. */
export const native: Candidate = {
  name: 'native',
  start: async (pool, setting): Promise<Leg> => {
    const regions = await freshRegions(pool, 'native', setting);
    await connectAll(regions, setting);
    if (!(await allCaughtUp(regions, 30_000))) throw new Error('native replication did not start');
    return {
      candidate: 'native',
      regions,
      servicePids: () => [],
      cut: () => everySubscription(regions, disable),
      heal: () => everySubscription(regions, enable),
      stopReceiving: (at) => everySubscription([regions[at]!], disable),
      startReceiving: async (at) => {
        await everySubscription([regions[at]!], enable);
        return Date.now();
      },
      conflicts: () => countConflicts(regions),
      rest: () => undefined,
      stop: async () => {
        await disconnectAll(regions);
        await dropRegions(regions);
      },
    };
  },
};

/** Slots live in the server, so their names tell the database too. */
const subscription = (to: Region, from: Region): string => `${from.name}_to_${to.name}_${to.database}`;

async function connectAll(regions: readonly Region[], setting: Setting): Promise<void> {
  const tables = [...new Set([...setting.tables, 'marker'])].join(', ');
  for (const { db } of regions) await db.query(`create publication bench for table ${tables}`);
  for (const to of regions) {
    for (const from of regions) {
      if (from === to) continue;
      const source = from.server.url(from.database);
      const name = subscription(to, from);
      await to.db.query(
        `create subscription ${name} connection '${source}' publication bench with (origin = none, copy_data = false)`,
      );
    }
  }
}

async function disconnectAll(regions: readonly Region[]): Promise<void> {
  for (const to of regions) {
    for (const from of regions) {
      if (from === to) continue;
      const name = subscription(to, from);
      await disable(to, name);
      // A walsender may hold its slot for a moment after its receiver is gone.
      await waitUntil(() => released(from, name), 10_000, 20);
      await to.db.query(`drop subscription ${name}`);
    }
  }
}

async function everySubscription(
  receivers: readonly Region[],
  work: (to: Region, name: string) => Promise<void>,
): Promise<void> {
  await Promise.all(
    receivers.map(async (to) => {
      const { rows } = await to.db.query<{ subname: string }>(
        'select subname from pg_subscription s join pg_database d on d.oid = s.subdbid where datname = $1',
        [to.database],
      );
      for (const { subname } of rows) await work(to, subname);
    }),
  );
}

async function disable(to: Region, name: string): Promise<void> {
  await to.db.query(`alter subscription ${name} disable`);
  await waitUntil(() => stopped(to, name), 10_000, 10);
}

async function enable(to: Region, name: string): Promise<void> {
  await to.db.query(`alter subscription ${name} enable`);
}

async function stopped(to: Region, name: string): Promise<boolean> {
  const { rows } = await to.db.query('select from pg_stat_subscription where subname = $1 and pid is not null', [name]);
  return rows.length === 0;
}

async function released(from: Region, slot: string): Promise<boolean> {
  const { rows } = await from.db.query('select from pg_replication_slots where slot_name = $1 and active', [slot]);
  return rows.length === 0;
}

async function countConflicts(regions: readonly Region[]): Promise<number> {
  let total = 0;
  for (const { db, database } of regions) {
    const { rows } = await db.query<{ n: string }>(
      `select coalesce(sum(confl_insert_exists + confl_update_origin_differs + confl_update_exists + confl_update_missing
         + confl_delete_origin_differs + confl_delete_missing + confl_multiple_unique_conflicts), 0) as n
       from pg_stat_subscription_stats where subname like $1`,
      [`%\\_${database}`],
    );
    total += Number(rows[0]?.n ?? 0);
  }
  return total;
}
