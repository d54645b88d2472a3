import {
  type Change,
  type ChangeId,
  type ChangeOp,
  type JsonText,
  type RegionId,
  type RowKey,
  type Ranks,
  rowId,
  type Seq,
  stamp,
  type TableName,
  type Vector,
} from '@meridian/core';
import type { Row } from '../connection/session.js';

/** Columns of meridian.change, in the order that {@link changeOf} reads them. */
export const CHANGE_COLUMNS = [
  ...['id', 'xid', 'number', 'origin', 'seq', 'origin_id', 'rel', 'op', 'pk', 'stamp', 'wall', 'epoch', 'actor'],
  ...['patch', 'before', 'ranks', 'unseen'],
] as const;

export const changeColumns = (alias: string): string => CHANGE_COLUMNS.map((c) => `${alias}.${c}`).join(', ');

/** A row of the log: the change, and where it stands in this region's log. */
export interface LoggedChange {
  readonly logId: number;
  /** Of the transaction that wrote it here: the user's, or apply's. */
  readonly xid: bigint;
  /** Of its statement, from the same sequence as ids; see {@link inOrderOfWriting}. */
  readonly number: number | null;
  readonly change: Change;
}

const OPS: Readonly<Record<string, ChangeOp>> = { i: 'insert', u: 'update', d: 'delete' };

export function changeOf(row: Row): LoggedChange {
  const [id, xid, number, origin, seq, originId, rel, op, pk, at, wall, epoch, actor, patch, before, ranks, unseen] =
    row as readonly string[];
  return {
    logId: Number(id),
    xid: BigInt(xid!),
    number: number == null ? null : Number(number),
    change: {
      origin: known(origin!) as RegionId,
      seq: seq == null ? null : (Number(seq) as Seq),
      id: Number(originId ?? id) as ChangeId,
      table: known(rel!) as TableName,
      key: pk as RowKey,
      op: OPS[op!]!,
      stamp: stamp(BigInt(at!)),
      wall: BigInt(wall!),
      epoch: Number(epoch),
      actor: known(actor!),
      patch: (patch ?? null) as JsonText | null,
      before: (before ?? null) as JsonText | null,
      ranks: ranks == null ? null : ranksOf(ranks),
      unseen: unseen == null ? null : (JSON.parse(unseen) as Vector),
    },
  };
}

/** The driver makes a string of every field; of a million rows that name the same table, one stays. */
const names = new Map<string, string>();
const MOST_NAMES = 1_000;

function known(name: string): string {
  const same = names.get(name);
  if (same !== undefined) return same;
  if (names.size >= MOST_NAMES) names.clear();
  names.set(name, name);
  return name;
}

function ranksOf(text: string): Ranks {
  const stored = JSON.parse(text) as Record<string, [string, string, string]>;
  return Object.fromEntries(
    Object.entries(stored).map(([column, [at, wall, id]]) => [
      column,
      { stamp: stamp(BigInt(at)), wall: BigInt(wall), id: Number(id) as ChangeId },
    ]),
  );
}

export const ranksText = (ranks: Ranks): string =>
  `{${Object.entries(ranks)
    .map(([column, r]) => `${JSON.stringify(column)}:["${r.stamp}","${r.wall}","${r.id}"]`)
    .join(',')}}`;

/**
 * By id, but inside one transaction by statement: where a user's own AFTER trigger writes to the same table, its writes are
 * captured before the statement's that fired it, and the statement's number, taken before it began, says which came first.
 * Transactions are placed by their last id: of two that wrote one row, the later one waited for the end of the first.
 */
export function inOrderOfWriting<T extends LoggedChange>(changes: readonly T[]): T[] {
  const byId = [...changes].sort((a, b) => a.logId - b.logId);
  if (byId.every((c) => c.number === null)) return byId;
  const lastId = new Map(byId.map((c) => [c.xid, c.logId]));
  const key = (c: T): readonly [number, number, number] => [lastId.get(c.xid)!, c.number ?? c.logId, c.logId];
  const ordered = byId
    .map((c) => ({ c, key: key(c) }))
    .sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1] || a.key[2] - b.key[2])
    .map(({ c }) => c);
  return withIdsInOrder(ordered);
}

/**
 * To all regions a change's id says where it stands among its origin's changes of the row. So the ids that one transaction's
 * changes of a row have got are dealt out anew, in their order; whoever reads one of them reads all of them.
 */
function withIdsInOrder<T extends LoggedChange>(ordered: readonly T[]): T[] {
  const rowOf = ({ xid, change }: LoggedChange): string => `${xid}\n${rowId(change)}`;
  const ids = new Map<string, ChangeId[]>();
  for (const c of ordered) {
    if (c.number === null) continue;
    const own = ids.get(rowOf(c));
    if (own === undefined) ids.set(rowOf(c), [c.change.id]);
    else own.push(c.change.id);
  }
  for (const own of ids.values()) own.sort((a, b) => b - a);
  return ordered.map((c) => (c.number === null ? c : { ...c, change: { ...c.change, id: ids.get(rowOf(c))!.pop()! } }));
}
