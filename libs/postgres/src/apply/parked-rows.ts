import type { Claimant, RowKey, TableName } from '@meridian/core';
import type { Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';
import { parseClaims } from './claims.js';
import { byTable, existing } from './row-locks.js';
import { parkedRow } from './virtual-rows.js';

/** All parked rows but those whose key a row of the table has: a local insert took it. Their entries are removed. */
export async function allParked(
  session: Session,
  tableOf: (name: TableName) => Promise<ApplyTable>,
): Promise<readonly Claimant[]> {
  const { rows } = await session.query(
    'SELECT rel, pk, image, claims FROM meridian.parked ORDER BY rel, pk',
    [],
    'all_parked',
  );
  if (rows.length === 0) return [];
  const taken = new Set<string>();
  const refs = rows.map(([rel, pk]) => ({ table: rel as TableName, key: pk as RowKey }));
  for (const [name, keys] of byTable(refs)) {
    const stale = await existing(session, await tableOf(name), keys);
    if (stale.length === 0) continue;
    await session.query('DELETE FROM meridian.parked WHERE rel = $1 AND pk = ANY ($2)', [name, stale], 'unpark');
    for (const key of stale) taken.add(`${name}\n${key}`);
  }
  const left = rows.filter(([rel, pk]) => !taken.has(`${rel}\n${pk}`));
  return Promise.all(
    left.map(async ([rel, pk, image, claims]) => ({
      row: parkedRow(await tableOf(rel as TableName), pk!, image!),
      claims: parseClaims(claims!),
    })),
  );
}
