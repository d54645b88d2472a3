import { literal } from '../catalog/quoting.js';
import { type CaptureTarget, isNumbered } from './capture-target.js';
import { excessTaken } from './excess.sql.js';
import { keyArray, keysJoin, wholeRow } from './expressions.js';
import { captureFunction, LOGGED, logged } from './function.sql.js';
import { wallOf } from './ranks.js';

export function deleteCapture(target: CaptureTarget): string {
  return captureFunction(
    target,
    'delete',
    /* sql */ `  INSERT INTO meridian.change (${LOGGED})
  SELECT ${logged(target)},
    'd',
    ${keyArray(target, 'o')},
    ${wallOf(target, 'o')},
    NULL,
    ${wholeRow(target, 'o')}
    FROM old_rows o;
  ${moveInsertsBehind(target)}${excessTaken(target)}`,
  );
}

/**
 * One statement may delete a row and insert another with its key, and PostgreSQL may fire the INSERT trigger first: `WITH gone
 * AS (DELETE … RETURNING *) INSERT … FROM gone LIMIT 1` does. So where a deleted key is in the table again, the insert that this
 * statement logged before moves behind the delete: one logged by a later command (cmin) than the one that wrote the row, for an
 * insert of an earlier statement stays where it is. A scalar subquery, which PostgreSQL runs by index row by row: a join's plan,
 * made for a large statement, would be kept for the small ones.
 */
export function moveInsertsBehind(target: CaptureTarget): string {
  const row = `FROM ${target.spec.name} t WHERE ${keysJoin(target, 't', 'o')}`;
  return /* sql */ `IF EXISTS (SELECT FROM old_rows o WHERE (SELECT true ${row})) THEN
    UPDATE meridian.change SET id = nextval('meridian.change_id')${isNumbered(target) ? ', number = capture.number' : ''}
     WHERE id IN (
       SELECT (SELECT max(l.id) FROM meridian.change l
                WHERE l.rel = ${literal(target.spec.name)} AND l.pk::text = ${keyArray(target, 'o')}::text
                  AND l.xid = pg_current_xact_id() AND l.seq IS NULL AND l.op = 'i'${isNumbered(target) ? ' AND l.number <= capture.number' : ''}
                  AND l.cmin::text::bigint > (SELECT t.cmin::text::bigint ${row}))
         FROM old_rows o);
  END IF;`;
}
