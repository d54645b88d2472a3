import {
  type BoundedCounter,
  type RegionId,
  type RowKey,
  type RowRef,
  type Share,
  type TableName,
  type TableSpec,
  type Values,
} from '@meridian/core';
import { keyOf, type MemoryDatabase, type StoredRow } from './database.js';

export const SHARE_TABLE = 'meridian.share' as TableName;

const COLUMNS = ['own', 'given'];

/** Replicated like a user's table; one row for each region that has written to the counter. */
export const SHARE_SPEC: TableSpec = {
  name: SHARE_TABLE,
  keyColumns: ['rel', 'pk', 'region'],
  registers: [{ columns: COLUMNS, policy: { kind: 'hlc' } }],
  counters: [],
  delete: 'update-wins',
  uniqueKeys: [],
  foreignKeys: [],
  renamed: [],
  agreed: ['rel', 'pk', 'region', ...COLUMNS],
  epoch: 1,
};

/** A region's row of meridian.share. */
export interface OwnShare {
  readonly own: number;
  readonly given: { readonly [region: string]: number };
}

export const shareRef = (of: RowRef, region: RegionId): RowRef => ({
  table: SHARE_TABLE,
  key: keyOf(SHARE_SPEC, { rel: of.table, pk: of.key, region }),
});

/** meridian.hold_reborn: whoever inserts a row anew holds it, and apply where it makes a region's first row. */
export const rebornLock = (of: RowRef): string => `reborn ${of.table} ${of.key}`;

export const shareValues = (of: RowRef, region: RegionId, { own, given }: OwnShare): Values => ({
  ...{ rel: of.table, pk: of.key, region },
  ...{ own: String(own), given: JSON.stringify(given) },
});

export const ownShareOf = (row: StoredRow | null): OwnShare =>
  row === null
    ? { own: 0, given: {} }
    : { own: Number(row.values['own']), given: JSON.parse(row.values['given']!) as OwnShare['given'] };

/** What `row` says of each region's row, as a transaction or everybody sees it: meridian.shares_of. */
export function sharesOf(db: MemoryDatabase, of: RowRef, row: (ref: RowRef) => StoredRow | null): readonly Share[] {
  const regions = [...db.applied.keys()];
  const rows = new Map(regions.map((region) => [region, ownShareOf(row(shareRef(of, region)))]));
  return regions.map((region) => {
    const { own, given } = rows.get(region)!;
    const out = Object.values(given).reduce((sum, n) => sum + n, 0);
    const into = [...rows.values()].reduce((sum, other) => sum + (other.given[region] ?? 0), 0);
    return { region, amount: String(baseShare(db, of, region) + own - out + into), wanted: null };
  });
}

export const sumOf = (shares: readonly Share[]): number => shares.reduce((sum, { amount }) => sum + Number(amount), 0);

/** What all regions began with: meridian.share_base. */
function baseShare(db: MemoryDatabase, of: RowRef, region: RegionId): number {
  const above = db.boundedBases.get(of.table)?.get(of.key) ?? 0;
  const regions = [...db.applied.keys()].sort();
  const even = Math.trunc(above / regions.length);
  return region === regions[0] ? above - even * (regions.length - 1) : even;
}

/** How far the rows that all regions begin with are above the bound. */
export const aboveBound = (bounded: BoundedCounter, rows: ReadonlyMap<RowKey, StoredRow>): Map<RowKey, number> =>
  new Map([...rows].map(([key, { values }]) => [key, Number(values[bounded.column]) - Number(bounded.min)]));
