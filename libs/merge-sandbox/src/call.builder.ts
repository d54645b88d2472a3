import type { MergeCall, RegionId, RowKey, TableName, Values } from '@meridian/core';

const REGIONS = ['us', 'eu', 'ap', 'sa', 'af'] as const;

/** A call for one row of public.items whose versions were written in this order, each in another region. */
export const callOf = (name: string, base: Values | null, ...versions: readonly Values[]): MergeCall => ({
  function: { name, version: 1 },
  table: 'public.items' as TableName,
  key: '["1"]' as RowKey,
  columns: Object.keys(versions[0]!),
  base,
  versions: versions.map((values, i) => ({
    origin: REGIONS[i] as RegionId,
    stamp: String(116_000_000_000_000_000n + BigInt(i)),
    wall: `2026-11-22T00:00:00.00000${i}Z`,
    values,
  })),
});
