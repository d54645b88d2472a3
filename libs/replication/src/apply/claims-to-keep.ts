import {
  type ApplyTransaction,
  type Claimant,
  type Entry,
  type RowRef,
  type TableName,
  type TableSpec,
  type Vector,
  beforeOf,
  claimsInLog,
  groupByRow,
  inPresentColumns,
  rowId,
} from '@meridian/core';
import { connectedRows } from './virtual-rows.js';

/**
 * Before the log forgets what is below the cut: claims that a decision to come may compare are kept. Those of rows that contend
 * with a parked one, and those of rows that contend with a deleted one which a change above the cut may still restore: in other
 * regions it was never gone, and its claims were kept (simulation, seed 10140: a region had forgotten both, and the other row won).
 */
export async function keepClaimsBelow(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  cut: Vector,
): Promise<void> {
  const specs = [...tables.values()].filter((spec) => spec.uniqueKeys.length > 0);
  if (specs.length === 0) return;
  const parked = await tx.parked();
  const deleted = await restorableRows(tx, tables, await tx.deletedAbove(specs.map(nameOf), cut));
  for (const spec of specs) {
    const own = [...parked, ...deleted].filter((r) => r.row.ref.table === spec.name);
    if (own.length === 0) continue;
    const { rows } = await connectedRows(tx, spec, new Map(own.map((r) => [rowId(r.row.ref), r])), new Set());
    await tx.keepClaims([...rows.values()]);
  }
}

const nameOf = ({ name }: TableSpec): TableName => name;

/** As their last deletes' images are. */
async function restorableRows(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  refs: readonly RowRef[],
): Promise<readonly Claimant[]> {
  if (refs.length === 0) return [];
  const there = await tx.read(refs);
  const gone = refs.filter((ref) => !there.has(rowId(ref)));
  const log = groupByRow(await tx.entriesOf(gone));
  return gone.flatMap((ref) => restorable(ref, tables.get(ref.table)!, log.get(rowId(ref)) ?? []));
}

function restorable(ref: RowRef, spec: TableSpec, logged: readonly Entry[]): Claimant[] {
  const entries = logged.map((e) => inPresentColumns(e, spec));
  const last = entries.findLast((e) => e.op === 'delete' && e.before !== null);
  if (last === undefined) return [];
  const values = beforeOf(last);
  return [{ row: { ref, place: 'table', values }, claims: claimsInLog(spec, entries, values) }];
}
