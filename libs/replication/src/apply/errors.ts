import type { RowRef, TableName, Tick } from '@meridian/core';

/** The table here cannot take what a change brings for this row: it waits, until it is mended. */
export abstract class RowRefusedError extends Error {
  constructor(
    readonly ref: RowRef,
    message: string,
  ) {
    super(message);
  }
}

/** A column that came lately, and that this region has not taken note of: to decide without it would lose what was written. */
export class UnknownColumnError extends RowRefusedError {
  readonly code = 'unknown_column';
  constructor(ref: RowRef, column: string) {
    super(
      ref,
      `a change of ${ref.table} sets "${column}", which was not here when the table was looked at last: if it is here now, it is ` +
        `noticed within some seconds; else alter the table as in the other regions`,
    );
  }
}

/** A covered update of a row that is not here: its rows went a way that nobody captures. That table waits, loudly. */
export class MissingRowError extends RowRefusedError {
  readonly code = 'missing_row';
  constructor(ref: RowRef) {
    super(
      ref,
      `${ref.table} ${ref.key}: a change arrived that updates this row, and the row is not here, though nothing deleted it in the log. ` +
        `A partition was detached or dropped here, or a write has bypassed capture (session_replication_role, or capture triggers disabled): ` +
        `bring the row back as the other regions have it; or un-enrol the table, and enrol it anew from one region's rows`,
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
