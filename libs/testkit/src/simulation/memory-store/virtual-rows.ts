import {
  type Claim,
  type Claimant,
  claimsInLog,
  isPast,
  type RowRef,
  rowId,
  type RowState,
  type TableName,
  type Values,
} from '@meridian/core';
import { fullValues } from './counter-range.js';
import { entryOf } from './entries.js';
import type { Transaction } from './transaction.js';

/** The virtual row of a key: in the table, else parked. A row in the table hides a parked entry of its key. */
export function virtualRows(tx: Transaction, ref: RowRef): RowState[] {
  const shown = tx.row(ref);
  if (shown !== null) return [{ ref, place: 'table', values: fullValues(shown) }];
  const parked = tx.parkedRow(ref);
  return parked === null ? [] : [{ ref, place: 'parked', values: parked.values }];
}

/** Who claims what, as a transaction sees it. */
export class VirtualRows {
  constructor(private readonly tx: Transaction) {}

  claiming(table: TableName, uniqueKey: string, values: readonly Values[]): Claimant[] {
    const key = this.tx.db.spec(table).uniqueKeys.find((k) => k.name === uniqueKey);
    if (key === undefined) throw new Error(`${table} has no unique key ${uniqueKey}`);
    const holds = (row: Values): boolean =>
      values.some((v) => key.columns.every((column) => (row[column] ?? null) === (v[column] ?? null)));
    const shown = this.tx.visibleRows(table).map(({ ref, row }) => this.shown(ref, fullValues(row)));
    const parked = this.tx
      .allParked()
      .filter((p) => p.ref.table === table && this.tx.row(p.ref) === null)
      .map((p): Claimant => ({ row: { ref: p.ref, place: 'parked', values: p.values }, claims: p.claims }));
    return [...shown, ...parked]
      .filter(({ row }) => holds(row.values))
      .sort((a, b) => (rowId(a.row.ref) < rowId(b.row.ref) ? -1 : 1));
  }

  private shown(ref: RowRef, values: Values): Claimant {
    const { db } = this.tx;
    const spec = db.spec(ref.table);
    const present = db.log.of(ref).filter(({ change }) => !isPast(change, db.enrolments.ended));
    const entries = present.map((row) => entryOf(db, row, [], []));
    const known = claimsInLog(spec, entries, values);
    const claims = new Map<string, Claim | null>();
    for (const { name } of spec.uniqueKeys)
      claims.set(name, known.get(name) ?? db.claims.get(rowId(ref))?.get(name) ?? null);
    return { row: { ref, place: 'table', values }, claims };
  }
}
