import type { BoundedCounter, RowKey } from '@meridian/core';
import type { Counted } from './counter-range.js';

/** How far the rows that all regions begin with are above the bound. */
export const aboveBound = (bounded: BoundedCounter, rows: ReadonlyMap<RowKey, Counted>): Map<RowKey, number> =>
  new Map([...rows].map(([key, { values }]) => [key, Number(values[bounded.column]) - Number(bounded.min)]));
