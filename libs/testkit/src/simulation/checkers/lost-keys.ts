import {
  claimedValue,
  type ConflictRecord,
  type Entry,
  rowId,
  type RowRef,
  type TableName,
  visibleRows,
} from '@meridian/core';
import { CONFLICT_TABLE, type MemoryDatabase, parentOf, parseRecord, virtualClaimants } from '../memory-store/index.js';
import type { Ledger } from './ledger.js';
import { Violation } from './violation.js';

/**
 * At the end: of one unique value one row shows, and no row whose parent does not; nobody is parked whom a policy has an end for;
 * and every row that is parked, or that a policy was carried out on, has a record that says so. Of a row whose writes are older than
 * the log no region knows whose it was to record.
 */
export function checkLostKeys(db: MemoryDatabase, ledger: Ledger): void {
  for (const table of db.specs.keys()) checkShown(db, table);
  const records = [...db.rows(CONFLICT_TABLE).values()].map(({ values }) => parseRecord(values));
  for (const { ref } of db.allParked()) checkParked(db, ref, records);
  for (const { ref, versions } of ledger.touched) {
    const { uniqueKeys, foreignKeys } = db.spec(ref.table);
    const hasEnds = [...uniqueKeys, ...foreignKeys].length > 0;
    const wasActedOn = hasEnds && versions.some((e) => e.actor === 'meridian' && !lostItself(e, records));
    // The record of a row that lost again after that tells of this.
    if (!wasActedOn || db.parkedOf(ref) !== null) continue;
    if (!of(ref, records).some((r) => r.overwritten.length > 0 && r.status === 'resolved'))
      throw new Violation('I3', `${named(ref)} was changed by a policy of its keys, and no record says so`);
  }
}

/** What the policy did was overwritten, as a delete beside an update is: that has a record of its own. */
const lostItself = ({ origin, id }: Entry, records: readonly ConflictRecord[]): boolean =>
  records.some(({ loser, overwritten }) => overwritten.length > 0 && loser.origin === origin && loser.id === id);

function checkShown(db: MemoryDatabase, table: TableName): void {
  const { uniqueKeys, foreignKeys } = db.spec(table);
  const taken = new Set<string>();
  for (const [key, { values }] of db.rows(table)) {
    for (const unique of uniqueKeys) {
      const claimed = claimedValue(unique, values);
      if (claimed !== null && taken.has(claimed)) throw new Violation('I6', `two rows of ${table} show ${claimed}`);
      if (claimed !== null) taken.add(claimed);
    }
    for (const foreign of foreignKeys) {
      const parent = parentOf(db, foreign, values);
      if (parent !== null && db.row(parent) === null)
        throw new Violation('I6', `${named({ table, key })} shows, and ${named(parent)}, to which it refers, does not`);
    }
  }
}

function checkParked(db: MemoryDatabase, ref: RowRef, records: readonly ConflictRecord[]): void {
  if (db.row(ref) !== null) return;
  const isForgotten = !db.log.of(ref).some(({ change }) => change.op !== 'delete');
  if (!isForgotten && !of(ref, records).some((r) => r.status === 'open'))
    throw new Violation('I3', `${named(ref)} is parked, and no open record says so`);
  const spec = db.spec(ref.table);
  const { parked } = visibleRows(virtualClaimants(db, ref.table), spec.uniqueKeys);
  const { values } = db.parkedOf(ref)!;
  const parents = spec.foreignKeys.flatMap((key) => {
    const parent = parentOf(db, key, values);
    return parent === null || rowId(parent) === rowId(ref) || db.row(parent) !== null ? [] : [{ key, parent }];
  });
  const lost = parked.get(rowId(ref)) ?? [];
  if (lost.length + parents.length === 0) throw new Violation('I6', `${named(ref)} is parked for nothing`);
  const waits =
    lost.some(({ key, holder }) => (key.loser ?? { kind: 'park' }).kind === 'park' || holder.row.place === 'parked') ||
    parents.some(
      ({ key, parent }) => ['restore', 'park'].includes(key.orphan?.kind ?? 'restore') || db.parkedOf(parent) !== null,
    );
  if (!waits) throw new Violation('liveness', `${named(ref)} stays parked, and its policies have an end for it`);
}

const of = ({ table, key }: RowRef, records: readonly ConflictRecord[]): readonly ConflictRecord[] =>
  records.filter((r) => r.table === table && r.key === key);

const named = ({ table, key }: RowRef): string => `${table} ${key}`;
