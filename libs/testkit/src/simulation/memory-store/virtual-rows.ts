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
import { parentOf } from './capture.js';
import { fullValues } from './counter-range.js';
import type { MemoryDatabase, ParkedRow } from './database.js';
import { entryOf } from './entries.js';
import type { Transaction } from './transaction.js';

/** The virtual row of a key: in the table, else parked. A row in the table hides a parked entry of its key. */
export function virtualRows(tx: Transaction, ref: RowRef): RowState[] {
  const shown = tx.row(ref);
  if (shown !== null) return [{ ref, place: 'table', values: fullValues(shown) }];
  const parked = tx.parkedRow(ref);
  return parked === null ? [] : [{ ref, place: 'parked', values: parked.values }];
}

/** The rows in the tables that refer to one of these, by {@link rowId}. */
export function childrenOf(tx: Transaction, parents: ReadonlySet<string>): RowState[] {
  const children: RowState[] = [];
  for (const spec of tx.db.specs.values())
    for (const key of spec.foreignKeys)
      for (const { ref, row } of tx.visibleRows(spec.name)) {
        const parent = parentOf(tx.db, key, row.values);
        if (parent !== null && parents.has(rowId(parent)))
          children.push({ ref, place: 'table', values: fullValues(row) });
      }
  return children;
}

export const claimantOf = ({ ref, values, claims }: ParkedRow): Claimant => ({
  row: { ref, place: 'parked', values },
  claims,
});

/** What a look at all that is committed, or a transaction, sees. */
type View = Pick<Transaction, 'db' | 'row' | 'visibleRows' | 'allParked'>;

/** All virtual rows of a table with their claims, as they are committed. */
export function virtualClaimants(db: MemoryDatabase, table: TableName): Claimant[] {
  const visibleRows = (name: TableName) => [...db.rows(name)].map(([key, row]) => ({ ref: { table: name, key }, row }));
  return new VirtualRows({ db, row: (ref) => db.row(ref), visibleRows, allParked: () => db.allParked() }).of(table);
}

/** Who claims what. */
export class VirtualRows {
  constructor(private readonly tx: View) {}

  claiming(table: TableName, uniqueKey: string, values: readonly Values[]): Claimant[] {
    const key = this.tx.db.spec(table).uniqueKeys.find((k) => k.name === uniqueKey);
    if (key === undefined) throw new Error(`${table} has no unique key ${uniqueKey}`);
    const holds = (row: Values): boolean =>
      values.some((v) => key.columns.every((column) => (row[column] ?? null) === (v[column] ?? null)));
    return this.of(table)
      .filter(({ row }) => holds(row.values))
      .sort((a, b) => (rowId(a.row.ref) < rowId(b.row.ref) ? -1 : 1));
  }

  of(table: TableName): Claimant[] {
    const shown = this.tx.visibleRows(table).map(({ ref, row }) => this.shown(ref, fullValues(row)));
    const parked = this.tx
      .allParked()
      .filter((p) => p.ref.table === table && this.tx.row(p.ref) === null)
      .map((p): Claimant => ({
        row: { ref: p.ref, place: 'parked', values: p.values },
        claims: this.claimsOf(p.ref, p.values, p.claims),
      }));
    return [...shown, ...parked];
  }

  private shown(ref: RowRef, values: Values): Claimant {
    return { row: { ref, place: 'table', values }, claims: this.claimsOf(ref, values, new Map()) };
  }

  /** A row that was parked for its parent has none of its own. */
  private claimsOf(ref: RowRef, values: Values, own: Claimant['claims']): Claimant['claims'] {
    const { db } = this.tx;
    const spec = db.spec(ref.table);
    const present = db.log.of(ref).filter(({ change }) => !isPast(change, db.enrolments.ended));
    const entries = present.map((row) => entryOf(db, row, [], []));
    const known = claimsInLog(spec, entries, values);
    const claims = new Map<string, Claim | null>();
    for (const { name } of spec.uniqueKeys)
      claims.set(name, own.get(name) ?? known.get(name) ?? db.claims.get(rowId(ref))?.get(name) ?? null);
    return claims;
  }
}
