import type { CatalogForeignKey } from '../catalog/catalog-table.js';
import { ident, literal } from '../catalog/quoting.js';
import { differs } from '../catalog/value-text.js';
import { type CaptureTarget, columnOf, touchingKeys } from './capture-target.js';
import { keysJoin, missing } from './expressions.js';

/**
 * A change that sets a foreign key also touches the parent: an update without columns, which says that the parent must exist
 * (design 6). After the rows themselves, for a row may be its own parent. Empty without enrolled parents.
 */
export function touches(target: CaptureTarget, op: 'insert' | 'update'): string {
  return touchingKeys(target)
    .map((key) => touch(target, key, op))
    .join('');
}

/**
 * An update's rows are joined as in update.sql.ts, and filtered by a CASE: a WHERE that no missing row passes would let
 * PostgreSQL make a left join of it, and keep a nested loop, planned for one row, for an update of a million.
 */
function touch(target: CaptureTarget, key: CatalogForeignKey, op: 'insert' | 'update'): string {
  const set = key.columns.map((name) => `n.${ident(name)} IS NOT NULL`).join(' AND ');
  const changed = key.columns.map((name) => differs(columnOf(target, name))).join(' OR ');
  const parents =
    op === 'insert'
      ? `(${parentKey(key)})::text AS pk FROM new_rows n WHERE ${set}`
      : `CASE WHEN ${set} AND (${missing(target, 'o')} OR ${changed}) THEN (${parentKey(key)})::text END AS pk
            FROM old_rows o FULL JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}`;
  return /* sql */ `
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT ${literal(target.region)}, ${literal(key.parent)}, stamp, ${target.epochs.get(key.parent)!}, actor, NULL, 'u', p.pk::json, clock, '{}', '{}'
    FROM (SELECT DISTINCT ${parents}) p
   WHERE p.pk IS NOT NULL;`;
}

/** From the child's columns: a foreign key names its parent's primary key, or the table is not enrolled. */
function parentKey(key: CatalogForeignKey): string {
  const parts = key.parentKey.map((part) => {
    const column = key.columns[key.parentColumns.indexOf(part.name)]!;
    return asKeyText(`n.${ident(column)}::${part.type}`, part.numeric);
  });
  return `json_build_array(${parts.join(', ')})`;
}

const asKeyText = (value: string, numeric: boolean): string =>
  numeric ? `trim_scale(${value})::text` : `${value}::text`;
