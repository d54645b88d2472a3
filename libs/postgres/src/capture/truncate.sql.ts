import { literal } from '../catalog/quoting.js';
import { type CaptureTarget } from './capture-target.js';
import { excessOfTruncated } from './excess.sql.js';
import { keyArray, wholeRow } from './expressions.js';
import { captureFunction, LOGGED, logged } from './function.sql.js';
import { wallOf } from './ranks.js';

/**
 * A TRUNCATE is logged as deletes with their rows, BEFORE it empties the table. Read by the relation's own name, for on a
 * partitioned table PostgreSQL fires the trigger of every partition: only leaves have one. In REPEATABLE READ and above the
 * snapshot may not show all of the rows that are removed (seen), so it is refused there.
 */
export function truncateCapture(target: CaptureTarget): string {
  const values = logged(target, { stamp: '$1', actor: '$2', number: `nextval('meridian.change_id')` });
  const insert = /* sql */ `
    INSERT INTO meridian.change (${LOGGED})
    SELECT ${values}, 'd', ${keyArray(target, 'o')}, ${wallOf(target, 'o', '$3')}, NULL,
      ${wholeRow(target, 'o')}
      FROM ONLY `;
  return captureFunction(
    target,
    'truncate',
    /* sql */ `  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a replicated table needs READ COMMITTED: this transaction''s snapshot may not see all rows'
      USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE, or a READ COMMITTED transaction.';
  END IF;
  EXECUTE ${literal(insert)} || format('%I.%I o', TG_TABLE_SCHEMA, TG_TABLE_NAME) USING stamp, actor, clock;${excessOfTruncated(target)}`,
  );
}
