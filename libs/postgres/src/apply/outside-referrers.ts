import type { RowEffect, RowKey, TableName, TableRefused, WriteOutcome } from '@meridian/core';
import type { CatalogReferrer } from '../catalog/catalog-table.js';
import { ident } from '../catalog/quoting.js';
import { answersTo, type Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';
import { byTable, joinKeys, keyRecords } from './row-locks.js';
import { onTable } from './waiting-changes.js';

/**
 * Tables that are not enrolled may refer to rows that are to be deleted. Their rows are not ours to park, and no foreign key is
 * checked for a replica: so the table refuses the delete, and waits with it. Nothing is asked where no such table is. The rows
 * are locked: nobody comes to refer to one after the look.
 */
export async function outsidersLetGo(
  session: Session,
  tables: ReadonlyMap<TableName, ApplyTable>,
  isEnrolled: (table: TableName) => boolean,
  effects: readonly RowEffect[],
): Promise<WriteOutcome | TableRefused> {
  const looks = byTable(effects.filter((e) => e.kind === 'delete')).flatMap(([name, keys]) => {
    const parent = tables.get(name)!;
    const outside = parent.catalog.referrers.filter((r) => !isEnrolled(r.table));
    return outside.map((referrer) => onTable(name, () => firstReferred(session, parent, keys, referrer)));
  });
  return (await answersTo(looks)).find((found) => found !== null) ?? { retry: null };
}

async function firstReferred(
  session: Session,
  parent: ApplyTable,
  keys: readonly RowKey[],
  { table, constraint, columns, parentColumns }: CatalogReferrer,
): Promise<TableRefused | null> {
  const refers = columns.map((c, i) => `c.${ident(c)} = t.${ident(parentColumns[i]!)}`).join(' AND ');
  const sql = `SELECT k.o FROM ${joinKeys(parent)} JOIN ${table} c ON ${refers} LIMIT 1`;
  const { rows } = await session.query(sql, [keyRecords(parent, keys)]);
  if (rows.length === 0) return null;
  const key = keys[Number(rows[0]![0])]!;
  return {
    retry: 'table refused',
    table: parent.name,
    detail: `a delete of ${key} arrived, and ${table}, which is not enrolled, refers to it by "${constraint}": delete or change its rows here, or enrol ${table}`,
  };
}
