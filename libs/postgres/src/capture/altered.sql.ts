import { OUTPUT_SETTINGS } from '../catalog/output-settings.js';
import { literal } from '../catalog/quoting.js';
import { sharesWhenAltered } from './share.sql.js';
import { type Captured, type CaptureTarget, columnOf, isNumbered } from './capture-target.js';

/**
 * A table may be altered at any time, and what is generated names its columns: a dropped one would fail every write, a new one
 * would be left out, until upkeep notices. So each statement is told whether the table is still the one of these columns:
 * by a constant, for PostgreSQL computes `shape` when it plans the expression, and plans it again when the table was altered.
 * Where it is not, the SQL is made at run time, from the columns that the table has then; that is slower (it is planned at every run), and lasts until capture is generated anew.
 */
export function whenAltered(target: CaptureTarget, op: Captured): string {
  const relation = `${literal(String(target.table.oid))}::regclass`;
  const [number, truncated] =
    op === 'truncate'
      ? [isNumbered(target) ? `nextval('meridian.change_id')` : 'NULL::bigint', 'TG_RELID::regclass']
      : [isNumbered(target) ? 'number' : 'NULL::bigint', 'NULL'];
  return /* sql */ `  IF meridian.shape(${relation}) <> ${literal(shapeOf(target))} THEN
    output := meridian.set_output(${literal(JSON.stringify(OUTPUT_SETTINGS))});
    EXECUTE meridian.altered_capture(${relation}, TG_OP, ${literal(agreedColumns(target))}, ${truncated})
      USING stamp, actor, clock, ${number};${sharesWhenAltered(target, op)}
    PERFORM meridian.set_output(output);
    RETURN NULL;
  END IF;`;
}

/** As meridian.shape writes it. */
const shapeOf = ({ table }: CaptureTarget): string =>
  `${table.name} (${table.columns.map((c) => `${c.name} ${c.typeName}`).join(', ')})`;

/** By the columns' numbers, for they may have been renamed by then. */
function agreedColumns(target: CaptureTarget): string {
  const { table, spec, region } = target;
  const numbers = (columns: readonly string[]): number[] => columns.map((name) => columnOf(target, name).number);
  return JSON.stringify({
    ...{ origin: region, rel: spec.name, epoch: spec.epoch },
    row: target.granularity === 'row',
    columns: Object.fromEntries(table.columns.map((c) => [c.number, c.name])),
    key: numbers(spec.keyColumns),
    counters: numbers(spec.counters),
    registers: spec.registers.map((r) => numbers(r.columns)),
  });
}
