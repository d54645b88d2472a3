import { type CaptureTarget } from './capture-target.js';
import { keyArray, missing, wholeRow } from './expressions.js';
import { captureFunction, LOGGED, logged } from './function.sql.js';
import { idPerRow, rankedRegisters, ranks, wallOf } from './ranks.js';
import { sharesBegun } from './share.sql.js';
import { oneDimension } from './sets.sql.js';
import { touches } from './touch.sql.js';

export function insertCapture(target: CaptureTarget): string {
  const ranked = rankedRegisters(target).length > 0;
  return captureFunction(
    target,
    'insert',
    /* sql */ `  ${oneDimension(target)}INSERT INTO meridian.change (${LOGGED}${ranked ? ', id, ranks' : ''})
  SELECT ${logged(target)},
    'i',
    ${keyArray(target, 'n')},
    ${wallOf(target, 'n')},
    ${wholeRow(target, 'n')},
    NULL${ranked ? `,\n    c.id,\n    ${ranks(target, 'n', 'always')}` : ''}
    FROM new_rows n${ranked ? `\n   ${idPerRow(`NOT (${missing(target, 'n')})`)}` : ''};${sharesBegun(target)}${touches(target, 'insert')}`,
  );
}
