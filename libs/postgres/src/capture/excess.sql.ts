import { literal } from '../catalog/quoting.js';
import type { CaptureTarget } from './capture-target.js';
import { keyArray } from './expressions.js';
import { LOGGED, logged } from './function.sql.js';
import { wallOf } from './ranks.js';

/*
 * What a counter's sum is beyond what its column shows (meridian.counter_excess) goes where the row goes. An update that keeps
 * the key does not touch it: the difference that is logged is that of the sum, too. Nearly always the table has none, which is
 * all that these statements look at then.
 */

/** Of rows that a statement has deleted. */
export const excessTaken = (target: CaptureTarget): string =>
  ifExcess(target, `PERFORM ${take(target, keysOf(target, 'o', 'old_rows'))};`);

/** Of rows that are about to be truncated, in a relation whose name is known when it happens. */
export function excessOfTruncated(target: CaptureTarget): string {
  const sql = `SELECT ${take(target, `array_agg(${keyArray(target, 'o')}::text)`)} FROM ONLY `;
  return ifExcess(target, `EXECUTE ${literal(sql)} || format('%I.%I o', TG_TABLE_SCHEMA, TG_TABLE_NAME);`);
}

/**
 * Of rows that an update gave another key. Old and new rows come in one order, for PostgreSQL adds both as it updates a row: so
 * the i-th of the one is the i-th of the other (held by excess.pg.spec.ts).
 */
export function excessCarried(target: CaptureTarget): string {
  const [oldKeys, newKeys] = [keysOf(target, 'o', 'old_rows'), keysOf(target, 'n', 'new_rows')];
  return ifExcess(
    target,
    `INSERT INTO meridian.change (${LOGGED})
      SELECT ${logged(target)}, 'u', e.key::json, ${wallOf(target, 'n')}, e.differences, '{}'
        FROM meridian.carry_excess(${literal(target.spec.name)}, ${oldKeys}, ${newKeys}) e
        JOIN new_rows n ON ${keyArray(target, 'n')}::text = e.key;`,
  );
}

const take = (target: CaptureTarget, keys: string): string =>
  `meridian.take_excess(${literal(target.spec.name)}, ${keys})`;

const keysOf = (target: CaptureTarget, row: 'o' | 'n', rows: string): string =>
  `ARRAY(SELECT ${keyArray(target, row)}::text FROM ${rows} ${row})`;

const ifExcess = (target: CaptureTarget, work: string): string =>
  target.spec.counters.length > 0
    ? `
  IF EXISTS (SELECT FROM meridian.counter_excess e WHERE e.rel = ${literal(target.spec.name)}) THEN
    ${work}
  END IF;`
    : '';
