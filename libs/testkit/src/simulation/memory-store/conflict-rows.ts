import {
  type Change,
  changeId,
  type ConflictRecord,
  type RowRef,
  type TableName,
  type TableSpec,
  type Values,
} from '@meridian/core';
import { NO_EXCESS } from './counter-range.js';
import { keyOf, type StoredRow, textOf } from './database.js';
import type { LogRow } from './log.js';
import type { Xid } from './snapshot.js';
import type { Transaction } from './transaction.js';

export const CONFLICT_TABLE = 'meridian.conflict' as TableName;

const COLUMNS = [
  'rel',
  'pk',
  'kind',
  'region',
  'status',
  'loser',
  'versions',
  'base',
  'overwritten',
  'result',
  'reason',
];

/** Replicated like a user's table: hlc by row. */
export const CONFLICT_SPEC: TableSpec = {
  name: CONFLICT_TABLE,
  keyColumns: ['id'],
  registers: [{ columns: COLUMNS, policy: { kind: 'hlc' } }],
  counters: [],
  delete: 'update-wins',
  uniqueKeys: [],
  foreignKeys: [],
  renamed: [],
  agreed: ['id', ...COLUMNS],
  epoch: 1,
};

const valuesOf = (record: ConflictRecord): Values => ({
  id: record.id,
  rel: record.table,
  pk: record.key,
  kind: record.kind,
  region: record.region,
  status: record.status,
  loser: JSON.stringify(record.loser),
  versions: JSON.stringify(record.versions),
  base: JSON.stringify(record.base),
  overwritten: JSON.stringify(record.overwritten),
  result: JSON.stringify(record.result),
  reason: record.reason,
});

export function parseRecord(values: Values): ConflictRecord {
  const json = (column: string): unknown => JSON.parse(values[column]!);
  return {
    id: values['id'],
    table: values['rel'],
    key: values['pk'],
    kind: values['kind'],
    region: values['region'],
    status: values['status'],
    loser: json('loser'),
    versions: json('versions'),
    base: json('base'),
    overwritten: json('overwritten'),
    result: json('result'),
    reason: values['reason'],
  } as ConflictRecord;
}

const refOf = (id: string): RowRef => ({ table: CONFLICT_TABLE, key: keyOf(CONFLICT_SPEC, { id }) });

export function recordOf(tx: Transaction, id: string): ConflictRecord[] {
  const row = tx.row(refOf(id));
  return row === null ? [] : [parseRecord(row.values)];
}

export const recordsOf = (tx: Transaction): ConflictRecord[] =>
  tx.visibleRows(CONFLICT_TABLE).map(({ row }) => parseRecord(row.values));

/** A record as a local change of its table: capture does not fire for apply, so apply writes the log itself. */
export function writeRecord(
  tx: Transaction,
  xid: Xid,
  record: ConflictRecord,
): { readonly ref: RowRef; readonly row: StoredRow; readonly log: LogRow | null } {
  const ref = refOf(record.id);
  const { db } = tx;
  const before = tx.row(ref);
  const values = valuesOf(record);
  const { id: _key, ...columns } = values;
  const logId = db.nextLogId();
  const change: Change = {
    origin: db.region,
    seq: null,
    id: changeId(logId),
    ...ref,
    op: before === null ? 'insert' : 'update',
    stamp: db.nextStamp(),
    wall: BigInt(Math.round(db.wall())),
    epoch: CONFLICT_SPEC.epoch,
    actor: 'meridian',
    patch: textOf(before === null ? values : columns),
    before: before === null ? null : textOf(before.values),
    ranks: null,
    unseen: null,
  };
  return {
    ref,
    row: { values, excess: NO_EXCESS, incarnation: before?.incarnation ?? db.nextIncarnation() },
    log: { logId, xid, change, seq: null, unseen: null, image: null },
  };
}
