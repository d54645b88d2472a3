import {
  type ApplyTransaction,
  type ConflictRecord,
  type RowRef,
  type TableName,
  type TableSpec,
  distinctRows,
  endSiblings,
  groupByRow,
  rowId,
} from '@meridian/core';

/** This region's records of siblings that somebody has written over. */
export async function endWrittenOver(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
): Promise<ConflictRecord[]> {
  const { records, forgotten } = await tx.openSiblings();
  const known = records.filter(({ table }) => tables.has(table));
  if (known.length === 0) return [];
  const entries = groupByRow(await tx.entriesOf(distinctRows(known.map(refOf))));
  return known.flatMap((record) => {
    const { renamed } = tables.get(record.table)!;
    return endSiblings(record, entries.get(rowId(refOf(record))) ?? [], renamed, forgotten) ?? [];
  });
}

const refOf = ({ table, key }: ConflictRecord): RowRef => ({ table, key });
