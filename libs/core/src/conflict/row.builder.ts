import type { Entry } from '../causality/coverage.js';
import type { Values } from '../change/change.js';
import type { RowKey, TableName } from '../ids.js';
import type { DeletePolicy, RegisterPolicy, TableSpec } from '../policy/table-policy.js';
import type { RowStanding, RowVersion } from '../ports/row-log.js';

/** A table with a column x, a group amount + currency, and a counter n, for tests. */
export const itemsSpec = (
  policy: RegisterPolicy = { kind: 'hlc' },
  onDelete: DeletePolicy = 'update-wins',
): TableSpec => ({
  name: 'public.items' as TableName,
  keyColumns: ['id'],
  registers: [
    { columns: ['x'], policy },
    { columns: ['amount', 'currency'], policy },
  ],
  counters: ['n'],
  delete: onDelete,
  uniqueKeys: [],
  foreignKeys: [],
  renamed: [],
  agreed: ['id', 'x', 'amount', 'currency', 'n'],
  epoch: 1,
});

export const itemsRow: Values = { id: '1', x: '0', amount: '0', currency: 'EUR', n: '0' };

/** As the log has it, its tick kept. */
export const traced = (entry: Entry, more: Partial<RowVersion> = {}): RowVersion => ({
  ...{ entry, seq: entry.seq, traced: true, waiting: false },
  ...more,
});

/** Null: the row is not there. */
export function standing(
  values: Values | null,
  versions: readonly RowVersion[],
  more: Partial<RowStanding> = {},
): RowStanding {
  const ref = { table: 'public.items' as TableName, key: '["1"]' as RowKey };
  return {
    spec: itemsSpec(),
    key: ref.key,
    row: values === null ? null : { ref, place: 'table', values },
    parked: null,
    versions,
    all: true,
    reach: { complete: false, since: '2026-11-22T00:00:00.000Z', dropped: true },
    conflicts: [],
    ...more,
  };
}
