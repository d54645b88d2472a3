import type { RowKey, RowRef, TableName } from '@meridian/core';
import type { Session } from '../connection/session.js';

/** Parked rows whose key a local insert took. To be asked before the log forgets that insert. */
export async function forgetOvertaken(session: Session): Promise<readonly RowRef[]> {
  const sql = 'DELETE FROM meridian.parked p WHERE meridian.is_overtaken(p) RETURNING p.rel, p.pk';
  const { rows } = await session.query(sql, [], 'forget_overtaken');
  return rows.map(([rel, pk]) => ({ table: rel as TableName, key: pk as RowKey }));
}
