import {
  isPast,
  isTouch,
  type RegionId,
  type RowRef,
  rowId,
  type TableName,
  type Values,
  type Vector,
} from '@meridian/core';
import { type Commit, fullValues, type MemoryDatabase } from '../memory-store/index.js';
import type { Ledger } from './ledger.js';
import { Violation } from './violation.js';

/**
 * What a row holds: rows shown and parked alike, and counters in full, for where a row stands and how much of a sum it shows
 * is the sweep's work.
 */
const virtualText = (db: MemoryDatabase, ref: RowRef): string => {
  const row = db.row(ref);
  if (row !== null) return textOf(fullValues(row));
  const parked = db.parkedOf(ref);
  return parked === null ? 'no row' : textOf(parked.values);
};

/** And what its table shows of it, where that is not all. */
function shownText(db: MemoryDatabase, ref: RowRef): string {
  const row = db.row(ref)!;
  const full = virtualText(db, ref);
  return fullValues(row) === row.values ? full : `${full}, shown as ${textOf(row.values)}`;
}

/** Values never change, so their text is made once: comparing is most of what a run does. */
const texts = new WeakMap<Values, string>();
function textOf(row: Values): string {
  let text = texts.get(row);
  if (text === undefined) {
    const columns = Object.keys(row).sort();
    texts.set(row, (text = columns.map((column) => `${column}: ${row[column]}`).join(', ')));
  }
  return text;
}

/** What a region knows of one origin's changes of one row. */
interface Known {
  /** Writers exclude each other, so the highest id names all of them. */
  readonly lastWrite: number;
  /** Touches share their lock and commit in any order; their number says which, for ticks are prefixes of the commits. */
  readonly touches: number;
}

/** I6, after every commit: two regions that know the same changes of a row hold the same row, whatever else they know. */
export class SameVersionsSameRow {
  private readonly known = new Map<MemoryDatabase, Map<string, Map<RegionId, Known>>>();
  private readonly results = new Map<string, { readonly text: string; readonly region: RegionId }>();

  watch(db: MemoryDatabase): void {
    this.known.set(db, new Map());
    db.observe((commit) => {
      if (commit.kind === 'cut') return;
      const touched = this.learn(db, commit);
      for (const ref of touched.values()) if (db.epochsOf(ref.table).present !== null) this.compare(db, ref);
    });
  }

  private learn(db: MemoryDatabase, commit: Commit): Map<string, RowRef> {
    const rows = this.known.get(db)!;
    const touched = new Map<string, RowRef>(commit.rows.map((ref) => [rowId(ref), ref]));
    for (const change of commit.changes) {
      if (isPast(change, db.enrolments.ended)) continue;
      const id = versionsId(db, change);
      touched.set(rowId(change), { table: change.table, key: change.key });
      const versions = rows.get(id) ?? new Map<RegionId, Known>();
      const { lastWrite, touches } = versions.get(change.origin) ?? { lastWrite: 0, touches: 0 };
      const known = isTouch(change)
        ? { lastWrite, touches: touches + 1 }
        : { lastWrite: Math.max(lastWrite, change.id), touches };
      versions.set(change.origin, known);
      rows.set(id, versions);
    }
    return touched;
  }

  private compare(db: MemoryDatabase, ref: RowRef): void {
    const id = versionsId(db, ref);
    const versions = [...(this.known.get(db)!.get(id) ?? [])].map(
      ([origin, { lastWrite, touches }]) => `${origin}/${lastWrite}+${touches}`,
    );
    const name = `${id} ${versions.sort().join(' ')}`;
    const text = virtualText(db, ref);
    const before = this.results.get(name);
    if (before === undefined) this.results.set(name, { text, region: db.region });
    else if (before.text !== text)
      throw new Violation('I6', `of ${name}\n  ${before.region} made ${before.text}\n  ${db.region} made ${text}`);
  }
}

/** An enrolment begins with no versions: those of an earlier one are no longer any. */
const versionsId = (db: MemoryDatabase, ref: RowRef): string => `${rowId(ref)} ${db.epochsOf(ref.table).ended}`;

/** I2: equal vectors, equal tables. Compared after every apply, whenever two regions stand at the same point. */
export class EqualVectorsEqualTables {
  constructor(
    private readonly databases: readonly MemoryDatabase[],
    private readonly ledger: Ledger,
  ) {}

  watch(db: MemoryDatabase): void {
    db.observe((commit) => {
      if (commit.kind === 'apply' && commit.changes.length > 0) this.compareWith(db);
    });
  }

  private compareWith(db: MemoryDatabase): void {
    if (hasUncut(db)) return;
    for (const other of this.databases)
      if (other !== db && !hasUncut(other) && this.sameVector(db, other)) assertEqual(db, other, 'virtual');
  }

  sameVector(a: MemoryDatabase, b: MemoryDatabase): boolean {
    const [v, w]: [Vector, Vector] = [a.vector(), b.vector()];
    return Object.keys(v).every((name) => {
      const origin = name as RegionId;
      return this.ledger.contentSeq(origin, v[origin]!) === this.ledger.contentSeq(origin, w[origin]!);
    });
  }
}

const hasUncut = (db: MemoryDatabase): boolean => db.log.hasUncut;

/** `shown`: what stands in the tables, as it shows, and what is parked, each; `virtual`: both as one. */
export function assertEqual(a: MemoryDatabase, b: MemoryDatabase, what: 'shown' | 'virtual'): void {
  const tables = [...a.tables.keys()].filter((table) => sameEnrolment(a, b, table));
  const [left, right] = [rowsOf(a, tables, what), rowsOf(b, tables, what)];
  for (const id of new Set([...left.keys(), ...right.keys()])) {
    const [l, r] = [left.get(id) ?? 'no row', right.get(id) ?? 'no row'];
    if (l !== r)
      throw new Violation(
        'I2',
        `equal vectors, but ${id.replace('\n', ' ')}\n  ${a.region} holds ${l}\n  ${b.region} holds ${r}`,
      );
  }
}

/** A table whose enrolment has ended in one of them is that region's own. */
export function sameEnrolment(a: MemoryDatabase, b: MemoryDatabase, table: TableName): boolean {
  const [left, right] = [a.epochsOf(table), b.epochsOf(table)];
  return left.present !== null && left.present === right.present && left.ended === right.ended;
}

function rowsOf(db: MemoryDatabase, tables: readonly TableName[], what: 'shown' | 'virtual'): Map<string, string> {
  const rows = new Map<string, string>();
  const textOfRow = what === 'shown' ? shownText : virtualText;
  for (const { ref } of db.allParked())
    if (tables.includes(ref.table) && db.row(ref) === null)
      rows.set(what === 'shown' ? `parked ${rowId(ref)}` : rowId(ref), virtualText(db, ref));
  for (const table of tables)
    for (const key of db.rows(table).keys()) rows.set(rowId({ table, key }), textOfRow(db, { table, key }));
  return rows;
}
