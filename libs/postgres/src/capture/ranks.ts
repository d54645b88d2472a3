import type { Register } from '@meridian/core';
import { literal } from '../catalog/quoting.js';
import { type CaptureTarget, columnOf } from './capture-target.js';
import { microseconds, moved, object, registerDiffers, type RowAlias } from './expressions.js';

/** Registers by lww whose wall is another than the one that the table's changes carry. */
export const rankedRegisters = (target: CaptureTarget): readonly Register[] =>
  target.spec.registers.filter((r) => r.policy.kind === 'lww' && r.policy.column !== target.wallColumn);

/** The wall that a change carries. */
export const wallOf = (target: CaptureTarget, row: RowAlias, clock = 'clock'): string =>
  target.wallColumn === null ? clock : microseconds(columnOf(target, target.wallColumn), row);

/**
 * `{"price": ["stamp", "wall", "id"]}` for the columns that the change writes; `c.id` is the change's id, taken before it is
 * inserted, for only these tables need to know it.
 */
export function ranks(target: CaptureTarget, row: 'o' | 'n', when: 'changed' | 'moved' | 'always'): string {
  const members = rankedRegisters(target).map((register) => {
    const { policy } = register;
    const wall =
      policy.kind === 'lww' && policy.column !== null ? microseconds(columnOf(target, policy.column), row) : 'clock';
    const entries = register.columns.map(
      (name) => `${literal(`,${JSON.stringify(name)}:["`)}, stamp, '","', ${wall}, '","', c.id, '"]'`,
    );
    const written = `concat(${entries.join(', ')})`;
    if (when === 'always') return written;
    const or = when === 'moved' ? ` OR ${moved(target)}` : '';
    return `CASE WHEN ${registerDiffers(target, register)}${or} THEN ${written} END`;
  });
  return object(members);
}

/** Taken once per row: the WHERE makes it depend on the row, else PostgreSQL would evaluate it once per statement. */
export const idPerRow = (present: string): string =>
  `CROSS JOIN LATERAL (SELECT nextval('meridian.change_id') AS id WHERE ${present} OFFSET 0) c`;
