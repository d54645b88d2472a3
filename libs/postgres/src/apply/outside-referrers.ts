import type { RowEffect, TableName } from '@meridian/core';
import type { CatalogReferrer } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import { expect } from '../connection/expectations.js';
import type { ApplyTable } from './apply-table.js';
import { byTable, joinKeys, keyRecords } from './row-locks.js';
import type { WriteStatement } from './write-statement.js';

const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Tables that are not enrolled may refer to rows that are to be deleted. Their rows are not ours to park, and no foreign key is
 * checked for a replica: so the table refuses the delete, and waits with it. Nothing is asked where no such table is. The rows
 * are locked: nobody comes to refer to one after the look.
 */
export const outsidersLetGo = (
  tables: ReadonlyMap<TableName, ApplyTable>,
  isEnrolled: (table: TableName) => boolean,
  effects: readonly RowEffect[],
): WriteStatement[] =>
  byTable(effects.filter((e) => e.kind === 'delete')).flatMap(([name, keys]) => {
    const parent = tables.get(name)!;
    return parent.catalog.referrers
      .filter((referrer) => !isEnrolled(referrer.table))
      .map((referrer) => ({
        table: name,
        text: refusal(parent, referrer),
        values: [keyRecords(parent, keys)],
        plan: 'kept' as const,
      }));
  });

/** Fails with the first row that is referred to. */
function refusal(parent: ApplyTable, { table, constraint, columns, parentColumns }: CatalogReferrer): string {
  const refers = columns.map((c, i) => `c.${ident(c)} = t.${ident(parentColumns[i]!)}`).join(' AND ');
  const why = ` arrived, and ${table}, which is not enrolled, refers to it by "${constraint}": delete or change its rows here, or enrol ${table}`;
  const told = `'a delete of ' || (${parent.keyText('t')}) || ${literal(why)}`;
  return `SELECT ${expect('false', FOREIGN_KEY_VIOLATION, told)} FROM ${joinKeys(parent)} JOIN ${table} c ON ${refers} LIMIT 1`;
}
