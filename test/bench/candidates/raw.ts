import type { Candidate } from './candidate.js';
import { dropRegions, freshRegions } from './regions.js';

/** PostgreSQL alone: what the ratios are to. It replicates nothing, so it takes no part where that is the matter. */
export const raw: Candidate = {
  name: 'raw',
  start: async (pool, setting) => {
    const regions = await freshRegions(pool, 'raw', setting);
    const nothing = () => Promise.resolve();
    return {
      candidate: 'raw',
      regions,
      servicePids: () => [],
      cut: nothing,
      heal: nothing,
      stopReceiving: nothing,
      startReceiving: () => Promise.resolve(Date.now()),
      conflicts: () => Promise.resolve(0),
      rest: () => undefined,
      stop: () => dropRegions(regions),
    };
  },
};
