import type { Claimant, RowKey, TableName } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { type ApplyTable, unlessDiffers } from './apply-table.js';
import { parseClaims } from './claims.js';
import { existing } from './row-locks.js';
import { parkedRow } from './virtual-rows.js';

/**
 * All parked rows but those whose key a row of the table has: it came past capture, and its entry is removed. Those of a table
 * that is not enrolled any more, or gone, are left alone.
 */
export async function allParked(
  session: Session,
  tableOf: (name: TableName) => Promise<ApplyTable>,
): Promise<readonly Claimant[]> {
  const { rows } = await session.query(
    'SELECT rel, pk, image, claims FROM meridian.parked p WHERE NOT meridian.is_overtaken(p) ORDER BY rel, pk',
    [],
    'all_parked',
  );
  const left: Claimant[] = [];
  for (const name of new Set(rows.map(([rel]) => rel as TableName))) {
    const table = await tableOf(name).catch(unlessDiffers);
    if (table === null) continue;
    const own = rows.filter(([rel]) => rel === name);
    const taken = new Set(
      await existing(
        session,
        table,
        own.map(([, pk]) => pk as RowKey),
      ),
    );
    if (taken.size > 0)
      await session.query('DELETE FROM meridian.parked WHERE rel = $1 AND pk = ANY ($2)', [name, [...taken]], 'unpark');
    for (const [, pk, image, claims] of own)
      if (!taken.has(pk as RowKey)) left.push({ row: parkedRow(table, pk!, image!), claims: parseClaims(claims!) });
  }
  return left;
}
