import { literal } from '../catalog/quoting.js';
import { type CaptureTarget, isNumbered } from './capture-target.js';
import { excessTaken } from './excess.sql.js';
import { keyArray, keyColumns, keysJoin, wholeRow } from './expressions.js';
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
  ${moveInsertsBehind(target, 'delete')}${excessTaken(target)}`,
  );
}

/**
 * One statement may delete a row and insert another with its key, and PostgreSQL may fire the INSERT trigger first: `WITH gone
 * AS (DELETE … RETURNING *) INSERT … FROM gone LIMIT 1` does. So where a deleted key is in the table again, the insert that this
 * statement logged before moves behind the delete. Not where an update gave the key to another row: an insert of it is an earlier
 * statement's, and the update comes behind. NOT IN, which is hashed whatever number of rows it was planned for. A scalar subquery, which PostgreSQL runs by index row by row: a join's plan,
 * made for a large statement, would be kept for the small ones.
 */
export function moveInsertsBehind(target: CaptureTarget, op: 'update' | 'delete'): string {
  const again = `(SELECT true FROM ${target.spec.name} t WHERE ${keysJoin(target, 't', 'o')})`;
  const taken = `(${keyColumns(target, 'o')}) NOT IN (SELECT ${keyColumns(target, 'n')} FROM new_rows n)`;
  const there = op === 'delete' ? again : `${again} AND ${taken}`;
  return /* sql */ `IF EXISTS (SELECT FROM old_rows o WHERE ${there}) THEN
    UPDATE meridian.change SET id = nextval('meridian.change_id')${isNumbered(target) ? ', number = capture.number' : ''}
     WHERE id IN (
       SELECT (SELECT max(l.id) FROM meridian.change l
                WHERE l.rel = ${literal(target.spec.name)} AND l.pk::text = ${keyArray(target, 'o')}::text
                  AND l.xid = pg_current_xact_id() AND l.seq IS NULL AND l.op = 'i'${isNumbered(target) ? ' AND l.number <= capture.number' : ''})
         FROM old_rows o WHERE ${there});
  END IF;`;
}
