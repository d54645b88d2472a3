import type { ParkReason, RowKey } from '@meridian/core';
import { ident } from '../catalog/quoting.js';
import type { Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';
import { joinKeys, keyRecords } from './row-locks.js';

/**
 * Step 6: under the replica role a deferrable unique constraint is not checked, not even by SET CONSTRAINTS (seen). Enrolment
 * refuses such tables, but one may be altered later: the values of the rows just written are then looked up.
 */
export async function violatedKeys(
  session: Session,
  table: ApplyTable,
  keys: readonly RowKey[],
): Promise<readonly ParkReason[]> {
  const violated: ParkReason[] = [];
  for (const index of table.catalog.indexes.filter((i) => i.deferrable)) {
    const same = index.columns.map((c) => `o.${ident(c)} = t.${ident(c)}`).join(' AND ');
    const other = `(${table.keyOrder('o')}) IS DISTINCT FROM (${table.keyOrder('t')})`;
    const another = index.primary
      ? 'o.ctid <> t.ctid'
      : `ROW${other.replace(' IS DISTINCT FROM ', ' IS DISTINCT FROM ROW')}`;
    const sql = `SELECT ${table.keyText('o')} FROM ${joinKeys(table)} JOIN ${table.name} o ON ${same} AND ${another}`;
    const { rows } = await session.query(sql, [keyRecords(table, keys)]);
    for (const [key] of rows) violated.push({ kind: 'unique_key', constraint: index.name, other: table.ref(key!) });
  }
  return violated;
}
