import { type CaptureTarget } from './capture-target.js';
import { moveInsertsBehind } from './delete.sql.js';
import { excessCarried } from './excess.sql.js';
import { anyDifference, changedValues, keyArray, keysJoin, missing } from './expressions.js';
import { captureFunction, LOGGED, logged } from './function.sql.js';
import { idPerRow, rankedRegisters, ranks, wallOf } from './ranks.js';
import { touches } from './touch.sql.js';

/**
 * The full outer join of old and new rows on the key: keys only in old are deletes, only in new inserts, in both updates. A
 * statement changes a key at most once, so the order matters to secondary unique keys only: deletes free them first.
 * A delete whose patch is empty and not null says that its row went on under another key.
 * `set_config` tells the lines below that a key went away; it is called for deletes alone.
 */
export function updateCapture(target: CaptureTarget): string {
  const ranked = rankedRegisters(target).length > 0;
  const [oldGone, newGone] = [missing(target, 'o'), missing(target, 'n')];
  const order = target.spec.uniqueKeys.length > 0 && !ranked ? `\n   ORDER BY ${newGone} DESC` : '';
  const wall =
    target.wallColumn === null
      ? 'clock'
      : `CASE WHEN ${newGone} THEN ${wallOf(target, 'o')} ELSE ${wallOf(target, 'n')} END`;
  return captureFunction(
    target,
    'update',
    /* sql */ `  INSERT INTO meridian.change (${LOGGED}${ranked ? ', id, ranks' : ''})
  SELECT ${logged(target)},
    (CASE WHEN ${newGone} THEN set_config('meridian.moved', 'd', true) WHEN ${oldGone} THEN 'i' ELSE 'u' END)::"char",
    CASE WHEN ${newGone} THEN ${keyArray(target, 'o')} ELSE ${keyArray(target, 'n')} END,
    ${wall},
    CASE WHEN ${newGone} THEN '{}' ELSE ${changedValues(target, 'n')} END,
    CASE WHEN ${oldGone} THEN NULL ELSE ${changedValues(target, 'o')} END${
      ranked ? `,\n    c.id,\n    CASE WHEN ${newGone} THEN NULL ELSE ${ranks(target, 'n', 'changed')} END` : ''
    }
    FROM old_rows o FULL JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}${
      ranked ? `\n   ${idPerRow(`NOT (${newGone} AND ${oldGone})`)}` : ''
    }
   WHERE ${anyDifference(target)}${order};${touches(target, 'update')}
  IF current_setting('meridian.moved', true) = 'd' THEN
    PERFORM set_config('meridian.moved', '', true);
    ${`${moveInsertsBehind(target)}${excessCarried(target)}`.replaceAll('\n', '\n  ')}
  END IF;`,
  );
}
