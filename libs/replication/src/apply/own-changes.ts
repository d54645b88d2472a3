import { type OwnChange, type TableSpec, type Values, microsOf, onlyColumns, valuesText } from '@meridian/core';
import type { Act } from './losers.js';

/** As capture would have logged it, had a user done it. */
export function ownChange(spec: TableSpec, { row: { row }, values }: Act): OwnChange {
  const { ref } = row;
  if (values === null)
    return { ref, op: 'delete', patch: null, before: valuesText(row.values), wall: wallOf(spec, [], row.values) };
  const registers = spec.registers.filter(({ columns }) => columns.some((c) => values[c] !== row.values[c]));
  const columns = registers.flatMap((r) => r.columns);
  const only = (of: Values) => valuesText(onlyColumns(of, columns));
  return { ref, op: 'update', patch: only(values), before: only(row.values), wall: wallOf(spec, columns, values) };
}

/** A register whose latest value is told by a column has the time in that one: Meridian's change is no later than the row says. */
function wallOf({ registers }: TableSpec, columns: readonly string[], values: Values): bigint | null {
  const told = new Set(
    registers
      .filter((r) => r.columns.some((c) => columns.includes(c)))
      .map(({ policy }) => (policy.kind === 'lww' ? policy.column : null)),
  );
  const [column] = told;
  return told.size !== 1 || column == null ? null : microsOf(values[column] ?? '-infinity');
}
