import { type Entry, covers } from '../causality/coverage.js';
import { type Values, onlyColumns, patchOf, rankOf } from '../change/change.js';
import { changeId, type Seq } from '../ids.js';
import type { TableSpec } from '../policy/table-policy.js';
import type { RowSiblings, Sibling } from '../ports/row-log.js';
import type { ConflictRecord, ConflictVersion, Overwritten } from './record.js';
import { withOverwritten } from './recording.js';

/*
 * The siblings of a register are its maximal versions: one shows, and the others' open records hold their values, which outlive
 * the log and replicate. A version is one no more as soon as somebody who had seen it writes the register, or deletes the row.
 */

/** Registers in which the record's change stands as a sibling. */
export const siblingsIn = ({ status, overwritten }: Pick<ConflictRecord, 'status' | 'overwritten'>): Overwritten[] =>
  status === 'open' ? overwritten.filter(isSibling) : [];

const isSibling = ({ policy, writtenOver }: Overwritten): boolean => policy === 'register' && writtenOver === undefined;

/**
 * The record with those siblings ended that were written over; null: all stand.
 *
 * @param entries what the log of the record's own region has of the row
 * @param forgotten the last own seq whose changes may have left it
 */
export function endSiblings(
  record: ConflictRecord,
  entries: readonly Entry[],
  renamed: TableSpec['renamed'],
  forgotten: Seq,
): ConflictRecord | null {
  const { origin, id } = record.loser;
  const loser = entries.find((e) => e.origin === origin && e.id === id) ?? { origin, id: changeId(id), seq: forgotten };
  // In the log that gave the ids they are the order of writing, also where the tick is forgotten.
  const hadSeen = (e: Entry): boolean => (e.origin === origin ? e.id > id : covers(e, loser));
  const ended = record.overwritten.map((told) => {
    const over = isSibling(told) ? writesOver(entries, told.columns, renamed).find(hadSeen) : undefined;
    return over === undefined ? told : writtenOver(told, over);
  });
  return ended.every((told, i) => told === record.overwritten[i]) ? null : withOverwritten(record, ended);
}

function writtenOver(told: Overwritten, { origin, id, op }: Entry): Overwritten {
  const did =
    op === 'delete' ? `deleted with the row by ${origin}'s change ${id}` : `written over by ${origin}'s change ${id}`;
  return { ...told, writtenOver: { origin, id }, reason: `${did}, which had seen it` };
}

/** Whoever deletes the row has decided over all of it, also where a write beside brings the row back. */
function writesOver(entries: readonly Entry[], columns: readonly string[], renamed: TableSpec['renamed']): Entry[] {
  const names = [...columns, ...renamed.filter((pair) => pair.some((name) => columns.includes(name))).flat()];
  return entries.filter((e) => {
    if (e.op === 'delete') return true;
    const written = patchOf(e);
    return names.some((name) => Object.hasOwn(written, name));
  });
}

/** A register's value in an open record. */
export interface KeptSibling {
  /** The record's id. */
  readonly conflict: string;
  readonly loser: ConflictVersion;
  readonly told: Overwritten;
}

/** By register, those that still stand by what this region's log has now: their own region may not have heard of a write yet. */
export function standingSiblings(
  kept: readonly KeptSibling[],
  entries: readonly Entry[],
  row: Values,
  renamed: TableSpec['renamed'],
): RowSiblings['registers'] {
  const registers = new Map<string, { columns: readonly string[]; shown: Values; siblings: Sibling[] }>();
  for (const { conflict, loser, told } of kept) {
    if (!stands(loser, told, entries, renamed)) continue;
    const { op: _op, ...version } = loser;
    const columns = told.columns.map((c) => presentName(c, renamed));
    const values = Object.fromEntries(Object.entries(told.lost).map(([c, v]) => [presentName(c, renamed), v]));
    const shown = onlyColumns(row, columns);
    const register = registers.get(columns.join()) ?? { columns, shown, siblings: [] };
    register.siblings.push({ ...version, values, conflict });
    registers.set(columns.join(), register);
  }
  return [...registers.values()];
}

const presentName = (column: string, renamed: TableSpec['renamed']): string =>
  renamed.find(([old]) => old === column)?.[1] ?? column;

function stands(
  loser: ConflictVersion,
  { columns }: Overwritten,
  entries: readonly Entry[],
  renamed: TableSpec['renamed'],
): boolean {
  // Other regions know a folded change by its last write's id, and each column by the rank of its own.
  const logged = entries.find(
    (e) => e.origin === loser.origin && (e.id === loser.id || columns.some((c) => rankOf(e, c).id === loser.id)),
  );
  // What the log has dropped every region has had for long: whoever writes here has seen it.
  const hadSeen = (e: Entry): boolean => (logged === undefined ? e.deps === null : e !== logged && covers(e, logged));
  return !writesOver(entries, columns, renamed).some(hadSeen);
}
