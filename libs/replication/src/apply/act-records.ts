import {
  type ApplyTransaction,
  type ConflictRecord,
  type Digest,
  type Entry,
  type Overwritten,
  type RegionId,
  type TableName,
  type TableSpec,
  type Values,
  forgottenVersion,
  onlyColumns,
  rowId,
  sentencesOf,
  tellLostValue,
  valueIn,
  versionOf,
  groupByRow,
} from '@meridian/core';
import type { Act, Loss } from './losers.js';
import { kindOfLoss, parkingId } from './parking-records.js';

/**
 * The records of rows that were parked, as they end: resolved by the policy. Every open one of this region's writes of the row ends
 * so; that of the write which lost tells what the row had before.
 */
export async function recordActs(
  tx: ApplyTransaction,
  digest: Digest,
  region: RegionId,
  acts: readonly Act[],
  tables: ReadonlyMap<TableName, TableSpec>,
): Promise<ConflictRecord[]> {
  if (acts.length === 0) return [];
  const refs = acts.flatMap(({ row, losses }) => [row.row.ref, ...losses.map((l) => l.other)]);
  const log = groupByRow(await tx.entriesOf(refs));
  const ownWrites = ({ row }: Act): Entry[] =>
    (log.get(rowId(row.row.ref)) ?? []).filter((e) => e.origin === region && e.op !== 'delete');
  const known = await tx.conflictRecords(
    acts.flatMap((act) => ownWrites(act).map((e) => parkingId(digest, act.row.row.ref, e))),
  );
  return acts.flatMap((act) => {
    const told = actRecord(digest, region, act, log, tables.get(act.row.row.ref.table)!.epoch);
    const others = ownWrites(act).flatMap((e): ConflictRecord[] => {
      const record = known.get(parkingId(digest, act.row.row.ref, e));
      if (record?.status !== 'open' || record.id === told.id) return [];
      return [{ ...record, status: 'resolved', reason: told.reason }];
    });
    return [told, ...others];
  });
}

function actRecord(
  digest: Digest,
  region: RegionId,
  { row: { row }, losses, claim, values }: Act,
  log: ReadonlyMap<string, readonly Entry[]>,
  epoch: number,
): ConflictRecord {
  const { ref } = row;
  const write = log.get(rowId(ref))?.find((e) => claim !== null && e.origin === claim.origin && e.id === claim.id);
  const loser = write === undefined ? forgottenVersion(claim, region, row.values) : versionOf(write);
  const winners = losses.map((loss) => winnerOf(loss, log.get(rowId(loss.other)) ?? []));
  const overwritten = losses.flatMap((loss, i): Overwritten[] => {
    const winner = winners[i] ?? { origin: region, id: 0 };
    const told = values === null ? toldOfDelete(loss, row.values) : toldOfChange(loss, row.values, values);
    return told.map((o) => ({ ...o, part: null, epoch, winner: { origin: winner.origin, id: winner.id } }));
  });
  return {
    ...{ id: parkingId(digest, ref, loser), table: ref.table, key: ref.key, kind: kindOfLoss(losses, loser.op) },
    ...{ region, status: 'resolved', loser, base: row.values, overwritten, result: values },
    versions: [loser, ...winners.flatMap((e) => (e === undefined ? [] : [versionOf(e)]))],
    reason: sentencesOf(overwritten),
  };
}

/** The holder's claim, or the parent's delete; undefined: older than the log. */
function winnerOf(loss: Loss, entries: readonly Entry[]): Entry | undefined {
  if (loss.kind === 'foreign_key') return entries.findLast((e) => e.op === 'delete');
  const { holdersClaim: claim } = loss;
  return entries.find((e) => claim !== null && e.origin === claim.origin && e.id === claim.id);
}

type Told = Omit<Overwritten, 'part' | 'winner' | 'epoch'>;

function toldOfDelete({ kind, key, other, policy }: Loss, before: Values): Told[] {
  const why =
    kind === 'unique_key'
      ? `${key.columns.map((c) => valueIn(before, c) ?? 'NULL').join(', ')} (${key.name}) was taken by ${other.table} ${other.key} with the earlier claim`
      : `${other.table} ${other.key}, to which ${key.name} refers, is deleted`;
  return [
    {
      columns: [],
      policy: policy.kind,
      lost: before,
      result: null,
      reason: `${why}: by the policy the row is deleted`,
    },
  ];
}

function toldOfChange(loss: Loss, before: Values, after: Values): Told[] {
  const { other, policy } = loss;
  const of = (columns: readonly string[]) => ({
    ...{ columns, policy: policy.kind },
    ...{ lost: onlyColumns(before, columns), result: onlyColumns(after, columns) },
  });
  if (loss.kind === 'unique_key') {
    const column = 'column' in policy ? policy.column : loss.key.columns[0]!;
    return [{ ...of([column]), reason: tellLostValue(loss.key, column, { other, before, after }) }];
  }
  const { columns, name } = loss.key;
  const nulled = columns.filter((c) => after[c] === null);
  const reason = `${other.table} ${other.key}, to which ${name} refers, is deleted: ${nulled.join(', ')} is NULL`;
  return [{ ...of(nulled), reason }];
}
