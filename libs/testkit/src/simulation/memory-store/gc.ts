import { at, cutForTexts, type Entry, rowId, seq, textsOf, type Vector, writesColumn } from '@meridian/core';
import type { MemoryDatabase } from './database.js';
import { entryOf } from './entries.js';
import type { LogRow } from './log.js';

/**
 * Drops the partitions of the log that are wholly below the stable cut and that no running transaction has written to (a
 * DROP that merely waited for it would take its entry along). Resolves to how many.
 */
export function dropPartitions(db: MemoryDatabase, stableCut: Vector): number {
  if (db.waiting.size > 0) return 0;
  const partitions = new Map<number, LogRow[]>();
  const partitionOf = (logId: number): number => Math.floor(logId / db.partition);
  for (const row of db.log.all()) {
    const partition = partitions.get(partitionOf(row.logId));
    if (partition === undefined) partitions.set(partitionOf(row.logId), [row]);
    else partition.push(row);
  }
  const open = new Set([...db.running].flatMap((tx) => tx.privateLog.map((row) => partitionOf(row.logId))));
  const cut = cutForTexts(stableCut, writersOfTexts(db));
  const below = (row: LogRow): boolean => row.seq !== null && row.seq <= at(cut, row.change.origin);
  const doomed = [...partitions].filter(([partition, rows]) => !open.has(partition) && rows.every(below));
  if (doomed.length > 0) db.forgetOvertaken();
  if (doomed.length > 0) db.forgotten = seq(at(stableCut, db.region));
  for (const [, rows] of doomed) for (const row of rows) db.log.drop(row);
  return doomed.length;
}

/** Of each text, the changes that write it. */
function writersOfTexts(db: MemoryDatabase): Entry[][] {
  const texts = new Map<string, Entry[]>();
  for (const row of db.log.all()) {
    const spec = db.specs.get(row.change.table);
    for (const column of spec === undefined ? [] : textsOf(spec).keys()) {
      if (!writesColumn(column, row.change)) continue;
      const text = `${rowId(row.change)}\n${column}`;
      texts.set(text, [...(texts.get(text) ?? []), entryOf(db, row, [], [])]);
    }
  }
  return [...texts.values()];
}
