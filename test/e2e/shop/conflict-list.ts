import type { Conflict, Conflicts } from '@meridian/contract';
import type { ReachableRegions } from '../reachable-regions.js';

/** All of them, as a region lists them. */
export async function conflictsIn(cluster: ReachableRegions, region: string, query = ''): Promise<Conflict[]> {
  const found: Conflict[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await cluster.rest(region, 'GET', `/v1/conflicts?limit=1000${query}${page}`);
    if (!answer.ok) throw new Error(`conflicts of ${region}: ${answer.status} ${await answer.text()}`);
    const { items, next } = (await answer.json()) as Conflicts;
    found.push(...items);
    cursor = next;
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}
