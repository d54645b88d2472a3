import type { MergeCounts } from '@meridian/core';
import { Counter, type Registry } from 'prom-client';

/** Kept in the database, so that it goes on over restarts; the same from every instance of the region. */
export function mergeMetrics(registry: Registry, merges: MergeCounts): void {
  new Counter({
    name: 'meridian_merges_total',
    help: "Merges that lost nothing; this region's share, that adds up over the regions",
    labelNames: ['table', 'columns', 'policy'],
    registers: [registry],
    async collect() {
      // A database that is away is told of by other metrics.
      const counts = await merges.counts(null).catch(() => []);
      this.reset();
      for (const { table, columns, policy, merges: count } of counts)
        this.inc({ table, columns: columns.join(','), policy }, count);
    },
  });
}
