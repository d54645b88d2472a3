import { type CaptureTarget } from './capture-target.js';
import { moveInsertsBehind } from './delete.sql.js';
import { excessCarried } from './excess.sql.js';
import {
  anyDifference,
  changedOrMovedValues,
  changedValues,
  keyArray,
  keysJoin,
  missing,
  moved,
} from './expressions.js';
import { sharesBegunByMove, sharesSpent } from './share.sql.js';
import { growSetsKept, oneDimension } from './sets.sql.js';
import { captureFunction, LOGGED, logged } from './function.sql.js';
import { idPerRow, rankedRegisters, ranks, wallOf } from './ranks.js';
import { touches } from './touch.sql.js';

/**
 * A statement that gives no row another key, which nearly all are, is logged by the first INSERT. One that does is logged anew
 * by the second, which knows of such rows: what the first one has logged of it, its transaction's last ids, is taken back.
 * `set_config` tells of a key that came or went. In one INSERT that knew all, a single row took some 35 of 160 us longer.
 */
export function updateCapture(target: CaptureTarget): string {
  return captureFunction(
    target,
    'update',
    /* sql */ `  ${oneDimension(target)}${growSetsKept(target)}${keptKeys(target)}
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF current_setting('meridian.moved', true) = 'd' THEN
    PERFORM set_config('meridian.moved', '', true);
    DELETE FROM meridian.change WHERE id IN (
      SELECT id FROM meridian.change WHERE seq IS NULL AND xid = pg_current_xact_id() ORDER BY id DESC LIMIT logged);
    ${`${movedKeys(target)}\n${moveInsertsBehind(target)}${excessCarried(target)}${sharesBegunByMove(target)}`.replaceAll('\n', '\n  ')}
  END IF;${sharesSpent(target)}${touches(target, 'update')}`,
    ['logged bigint'],
  );
}

/** Rows that keep their keys. A full join, filtered by a CASE, for the reason that touch.sql.ts gives. */
function keptKeys(target: CaptureTarget): string {
  const ranked = rankedRegisters(target).length > 0;
  const gone = `${missing(target, 'o')} OR ${missing(target, 'n')}`;
  return /* sql */ `INSERT INTO meridian.change (${LOGGED}${ranked ? ', id, ranks' : ''})
  SELECT ${logged(target)},
    'u',
    ${keyArray(target, 'n')},
    ${wallOf(target, 'n')},
    ${changedValues(target, 'n')},
    ${changedValues(target, 'o')}${ranked ? `,\n    c.id,\n    ${ranks(target, 'n', 'changed')}` : ''}
    FROM old_rows o FULL JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}${
      ranked ? `\n   ${idPerRow(`NOT (${missing(target, 'n')} AND ${missing(target, 'o')})`)}` : ''
    }
   WHERE CASE WHEN ${gone} THEN set_config('meridian.moved', 'd', true) IS NULL
     ELSE ${anyDifference(target)} END;`;
}

/**
 * The full outer join of old and new rows on the key: keys only in old are deletes, only in new inserts, in both updates. A
 * statement changes a key at most once, so the order matters to secondary unique keys only: deletes free them first.
 * A delete whose patch is empty and not null says that its row went on under another key.
 */
function movedKeys(target: CaptureTarget): string {
  const ranked = rankedRegisters(target).length > 0;
  const [oldGone, newGone] = [missing(target, 'o'), missing(target, 'n')];
  const order = target.spec.uniqueKeys.length > 0 && !ranked ? `\n   ORDER BY ${newGone} DESC` : '';
  const wall =
    target.wallColumn === null
      ? 'clock'
      : `CASE WHEN ${newGone} THEN ${wallOf(target, 'o')} ELSE ${wallOf(target, 'n')} END`;
  return /* sql */ `INSERT INTO meridian.change (${LOGGED}${ranked ? ', id, ranks' : ''})
  SELECT ${logged(target)},
    (CASE WHEN ${newGone} THEN 'd' WHEN ${oldGone} THEN 'i' ELSE 'u' END)::"char",
    CASE WHEN ${newGone} THEN ${keyArray(target, 'o')} ELSE ${keyArray(target, 'n')} END,
    ${wall},
    CASE WHEN ${newGone} THEN '{}' ELSE ${changedOrMovedValues(target, 'n')} END,
    CASE WHEN ${oldGone} THEN NULL ELSE ${changedOrMovedValues(target, 'o')} END${
      ranked ? `,\n    c.id,\n    CASE WHEN ${newGone} THEN NULL ELSE ${ranks(target, 'n', 'moved')} END` : ''
    }
    FROM old_rows o FULL JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}${
      ranked ? `\n   ${idPerRow(`NOT (${newGone} AND ${oldGone})`)}` : ''
    }
   WHERE ${moved(target)}
     OR ${anyDifference(target)}${order};`;
}
