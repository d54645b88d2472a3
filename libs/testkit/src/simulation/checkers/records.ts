import {
  changeRef,
  type ConflictRecord,
  covers,
  type Digest,
  type Entry,
  isTouch,
  nameOf,
  type Overwritten,
  patchOf,
  recordId,
  type RowRef,
  rowId,
  type Values,
} from '@meridian/core';
import { CONFLICT_TABLE, fullValues, type MemoryDatabase, parseRecord } from '../memory-store/index.js';
import type { Ledger } from './ledger.js';
import { partsOf } from './merged-parts.js';
import { Violation } from './violation.js';

/**
 * The other half of I3, at the end: whoever reads the list reads what is so. Each record is of one change that somebody was told is
 * written, under that change's own name; what it tells of was overwritten and is not in the row; and every parked row has one.
 * That nothing is missing from the list the final state checks.
 */
export function checkRecords(db: MemoryDatabase, ledger: Ledger, digest: Digest): void {
  const all = [...db.rows(CONFLICT_TABLE).values()].map(({ values }) => parseRecord(values));
  const open = all.filter(({ status }) => status === 'open');
  const rows = new Map(ledger.touched.map(({ ref, versions }) => [rowId(ref), versions]));
  for (const record of open) {
    const versions = rows.get(rowId(record));
    const own = versions?.find(({ origin, id }) => origin === record.loser.origin && id === record.loser.id);
    // Of an enrolment that has ended nobody keeps account.
    if (own !== undefined) new ToldRecord(db, record, own, versions!, digest).check();
  }
  for (const { ref } of db.allParked())
    if (db.row(ref) === null && isWrittenInLog(db, ref) && !open.some((r) => isParking(r) && rowId(r) === rowId(ref)))
      throw new Violation('I3', `${rowId(ref)} is parked, and no record says so`);
}

/** Of a row that is parked when its writes are older than the log no region knows whose they were: SPEC, P4. */
const isWrittenInLog = (db: MemoryDatabase, ref: RowRef): boolean =>
  db.log.of(ref).some(({ change }) => change.op !== 'delete' && !isTouch(change));

const isParking = ({ overwritten }: ConflictRecord): boolean => overwritten.length === 0;

class ToldRecord {
  constructor(
    private readonly db: MemoryDatabase,
    private readonly record: ConflictRecord,
    private readonly loser: Entry,
    private readonly versions: readonly Entry[],
    private readonly digest: Digest,
  ) {}

  check(): void {
    const { record, loser } = this;
    const key = (isParking(record) ? `${record.key}\nparked` : record.key) as RowRef['key'];
    if (record.id !== recordId(this.digest, { table: record.table, key }, loser))
      throw this.violation('has the name of another change');
    if (record.region !== loser.origin) throw this.violation(`is told by ${record.region}`);
    if (isTouch(loser)) throw this.violation('was a touch, which writes nothing');
    for (const told of record.overwritten)
      if (!this.isCovered(told) && this.stands(told))
        throw this.violation(`stands, and ${nameOf(told)} is told to be lost`);
  }

  /** Who had seen it has written over it since: which of such are recorded goes by the order of arrival (ADR 2). */
  private isCovered({ columns }: Overwritten): boolean {
    const writes = (e: Entry): boolean => columns.length === 0 || columns.some((c) => Object.hasOwn(patchOf(e), c));
    return this.versions.some((e) => writes(e) && covers(e, this.loser));
  }

  private stands({ columns, part, lost }: Overwritten): boolean {
    const values = this.row();
    if (columns.length === 0) return (values === null) === (this.loser.op === 'delete');
    if (values === null) return false;
    return part === null
      ? columns.every((c) => values[c] === lost[c])
      : (partsOf({ kind: 'map' }, values[columns[0]!]!).get(JSON.stringify(part)) ?? null) === lost[columns[0]!];
  }

  private row(): Values | null {
    const row = this.db.row(this.record);
    return row === null ? (this.db.parkedOf(this.record)?.values ?? null) : fullValues(row);
  }

  private violation(detail: string): Violation {
    const { id, table, key, reason } = this.record;
    return new Violation('I3', `record ${id}: ${changeRef(this.loser)} of ${table} ${key} ${detail} (${reason})`);
  }
}
