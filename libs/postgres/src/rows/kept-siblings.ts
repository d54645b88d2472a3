import {
  type ConflictVersion,
  type KeptSibling,
  type Overwritten,
  type RowKey,
  siblingsIn,
  type TableName,
} from '@meridian/core';
import type { ReadingTransaction } from './reading-transaction.js';

/** As of migration 11's index; of a row that hundreds of regions write at once, more would tell nobody anything. */
const KEPT = /* sql */ `
SELECT c.id, c.loser, c.overwritten FROM meridian.conflict c
 WHERE c.rel = $1 AND c.pk = $2 AND c.status = 'open' AND c.overwritten::text LIKE '%"policy":"register"%'
   AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = c.id AND meridian.decides(d.strategy))
 ORDER BY c.created_at, c.id LIMIT 1000`;

/** What the row's open records keep, of all regions; who accepted one has decided that it stands no more. */
export async function keptSiblings(
  reading: ReadingTransaction,
  { table, key }: { readonly table: TableName; readonly key: RowKey },
): Promise<readonly KeptSibling[]> {
  const rows = await reading.query(KEPT, [table, key]);
  return rows.flatMap(([id, loser, overwritten]) => {
    const told = siblingsIn({ status: 'open', overwritten: JSON.parse(overwritten!) as Overwritten[] });
    return told.map((of): KeptSibling => ({ conflict: id!, loser: JSON.parse(loser!) as ConflictVersion, told: of }));
  });
}
