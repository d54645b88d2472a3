import { type BoundedCounter, type RowRef, rowId } from '@meridian/core';
import { fullValues, type MemoryDatabase, SHARE_TABLE, sharesOf, sumOf } from '../memory-store/index.js';
import { Violation } from './violation.js';

/**
 * I7 of a bounded counter, at every commit of every region: it is never below its bound, the region itself has not taken more
 * than its share, and the shares together are no more than what is above the bound.
 */
export function watchBounds(db: MemoryDatabase): void {
  db.observe(({ rows }) => {
    const counted = new Map(rows.flatMap((ref) => counterRows(db, ref)).map((ref) => [rowId(ref), ref]));
    for (const ref of counted.values()) for (const bounded of db.spec(ref.table).bounded ?? []) check(db, ref, bounded);
  });
}

function counterRows(db: MemoryDatabase, ref: RowRef): RowRef[] {
  if (ref.table !== SHARE_TABLE) return [ref];
  const row = db.row(ref);
  return row === null ? [] : [{ table: row.values['rel'], key: row.values['pk'] } as RowRef];
}

function check(db: MemoryDatabase, ref: RowRef, { column, min }: BoundedCounter): void {
  const fail = (what: string): never => {
    throw new Violation('I7', `${db.region}: ${column} of ${rowId(ref)} ${what}`);
  };
  const shares = sharesOf(db, ref, (share) => db.row(share));
  const own = shares.find(({ region }) => region === db.region)!;
  if (Number(own.amount) < 0) fail(`has a share of ${own.amount} here`);
  const row = db.row(ref);
  if (row === null) return;
  const above = Number(fullValues(row)[column]) - Number(min);
  if (above < 0) fail(`is ${-above} below its bound`);
  if (sumOf(shares) > above) fail(`is ${above} above its bound, and the regions may take ${JSON.stringify(shares)}`);
}
