import type { BoundedCounter } from '@meridian/core';
import { ident, literal } from '../catalog/quoting.js';
import { type Captured, type CaptureTarget } from './capture-target.js';
import { keyArray, keysJoin, missing } from './expressions.js';

/*
 * What a statement takes from bounded counters comes off this region's share of them (meridian.share), and what it adds goes onto
 * it: behind the log's own lines, under the locks of the rows. A delete leaves the shares as they are, for another region may be
 * taking from the row, and an update beside the delete may bring it back.
 */

/** Of rows that keep their keys. A full join, filtered by a CASE, for the reason that touch.sql.ts gives. */
export const sharesSpent = (target: CaptureTarget): string => perform(target, spending);

/** Of rows that were inserted. */
export const sharesBegun = (target: CaptureTarget): string => perform(target, (t, b) => beginning(t, b, 'new_rows n'));

/** Of rows that an update gave another key: to their regions they are new ones. */
export const sharesBegunByMove = (target: CaptureTarget): string =>
  perform(target, (t, b) =>
    beginning(t, b, `old_rows o RIGHT JOIN new_rows n ON ${keysJoin(t, 'o', 'n')} WHERE ${missing(t, 'o')}`),
  );

/** By SQL that is made at run time, for the rows' type is not the one that this function was made for. */
export function sharesWhenAltered(target: CaptureTarget, op: Captured): string {
  const { bounded = [] } = target.spec;
  if (op !== 'insert' && op !== 'update') return '';
  const moved = (b: BoundedCounter): string =>
    beginning(
      target,
      b,
      `old_rows o RIGHT JOIN new_rows n ON ${keysJoin(target, 'o', 'n')} WHERE ${missing(target, 'o')}`,
    );
  const statements = bounded.flatMap((b) =>
    op === 'insert' ? [beginning(target, b, 'new_rows n')] : [spending(target, b), moved(b)],
  );
  return statements.map((sql) => `\n    EXECUTE ${literal(`SELECT ${sql}`)};`).join('');
}

const perform = (target: CaptureTarget, work: (target: CaptureTarget, bounded: BoundedCounter) => string): string =>
  (target.spec.bounded ?? []).map((bounded) => `\n  PERFORM ${work(target, bounded)};`).join('');

/** Of no rows the arrays are NULL, and the function is not run. */
function spending(target: CaptureTarget, { column, name: counter, since }: BoundedCounter): string {
  const name = ident(column);
  const kept = `NOT (${missing(target, 'o')} OR ${missing(target, 'n')}) AND o.${name} <> n.${name}`;
  return /* sql */ `meridian.spend_shares(${literal(target.spec.name)}, ${since}, ${literal(counter)}, ${literal(target.region)}, array_agg(d.pk), array_agg(d.difference))
    FROM (SELECT CASE WHEN ${kept} THEN ${keyArray(target, 'n')}::text END AS pk, n.${name}::numeric - o.${name} AS difference
            FROM old_rows o FULL JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}) d
   WHERE d.pk IS NOT NULL`;
}

const beginning = (target: CaptureTarget, { column, name, min, since }: BoundedCounter, rows: string): string =>
  `meridian.begin_shares(${literal(target.spec.name)}, ${since}, ${literal(name)}, ${min}, ${literal(target.region)}, ` +
  `array_agg(${keyArray(target, 'n')}::text), array_agg(n.${ident(column)}::numeric))\n    FROM ${rows}`;
