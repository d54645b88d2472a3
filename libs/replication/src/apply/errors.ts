import type { RowRef, TableName, Tick } from '@meridian/core';

/** A covered update of a row that is not here: a write has bypassed capture or apply. That stream stops loudly. */
export class MissingRowError extends Error {
  readonly code = 'missing_row';
  constructor(readonly ref: RowRef) {
    super(
      `${ref.table} ${ref.key}: a change arrived that updates this row, and the row is not here, though nothing deleted it in the log. ` +
        `A write has bypassed capture (session_replication_role, or capture triggers disabled); compare the table between the regions`,
    );
  }
}

/** A peer's tick names another predecessor than the one applied here: the origin was restored, or cloned (design 8). */
export class ForkedOriginError extends Error {
  readonly code = 'forked_origin';
  constructor(tick: Tick, applied: string) {
    super(
      `tick ${tick.origin}/${tick.seq} follows ${tick.previous || 'nothing'}, but ${applied || 'nothing'} was applied here before it: ` +
        `region ${tick.origin} was restored or cloned; its ticks are refused until it has rejoined`,
    );
  }
}

/** A table refuses though the batch brings nothing for it: another table's changes rely on it (a parent's columns differ). */
export class TableStaysRefusedError extends Error {
  readonly code = 'table_stays_refused';
  constructor(table: TableName, detail: string) {
    super(`apply cannot go on before ${table} is mended, for other tables' changes rely on it: ${detail}`);
  }
}
