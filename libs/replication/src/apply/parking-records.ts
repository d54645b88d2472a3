import {
  type ApplyTransaction,
  type ConflictKind,
  type ConflictRecord,
  type ConflictVersion,
  type Digest,
  type Entry,
  type RegionId,
  type RowEffect,
  type RowRef,
  covers,
  distinctRows,
  isTouch,
  type Values,
  parseValues,
  patchOf,
  recordId,
  rowId,
  versionOf,
  groupByRow,
} from '@meridian/core';
import type { Loss } from './losers.js';

type Park = Extract<RowEffect, { kind: 'park' }>;

/**
 * Records of rows that this step takes out of their table, and what becomes of those of rows that are parked no more.
 * `insertedOver`: virtual rows whose key somebody inserts to whom it did not show: it was parked there.
 */
export async function recordParking(
  tx: ApplyTransaction,
  digest: Digest,
  region: RegionId,
  effects: readonly RowEffect[],
  insertedOver: readonly RowRef[],
): Promise<ConflictRecord[]> {
  const parks = effects.filter((e): e is Park => e.kind === 'park');
  const unparks = effects.filter((e) => e.kind === 'unpark');
  const rows = distinctRows([...parks, ...unparks, ...insertedOver]);
  if (rows.length === 0) return [];
  const entries = groupByRow(await tx.entriesOf([...rows, ...parks.flatMap(severalOthers)]));
  const ownWrites = (ref: RowRef) =>
    (entries.get(rowId(ref)) ?? []).filter((e) => e.origin === region && e.op !== 'delete' && !isTouch(e));
  const known = await tx.conflictRecords(rows.flatMap((ref) => ownWrites(ref).map((e) => parkingId(digest, ref, e))));
  const idOf = (ref: RowRef, write: Entry) => parkingId(digest, ref, write);
  const recordOf = (ref: RowRef, write: Entry) => known.get(idOf(ref, write));
  const opened = parks.flatMap((park) => {
    const lost = parkedWrite(park, ownWrites(park), entries.get(rowId(park)) ?? []);
    if (lost === undefined) return [];
    const loser = endedByPolicy(recordOf(park, lost)) ? ownWrites(park).at(-1)! : lost;
    const before = recordOf(park, loser);
    const record = parkedRecord(idOf(park, loser), region, park, loser, entries);
    return before?.status === 'open' && before.reason === record.reason ? [] : [record];
  });
  const placeOf = placesAfter(effects);
  const followed = rows.flatMap((ref) =>
    ownWrites(ref).flatMap((write) => {
      const record = recordOf(ref, write);
      const told = record === undefined ? null : becameOf(record, write, entries.get(rowId(ref))!, placeOf(ref));
      return record === undefined || told === null || told.reason === record.reason ? [] : [{ ...record, ...told }];
    }),
  );
  // Where the row was never parked itself: then of its last write, whose row is that of the earlier ones.
  const unheardOf = insertedOver.flatMap((ref) => {
    if (ownWrites(ref).some((write) => recordOf(ref, write) !== undefined)) return [];
    const write = ownWrites(ref).findLast((e) => insertOver(e, entries.get(rowId(ref))!) !== undefined);
    if (write === undefined) return [];
    const reason = takenBy(insertOver(write, entries.get(rowId(ref))!)!);
    return [newRecord(idOf(ref, write), region, ref, 'insert_exists', write, patchOf(write), reason)];
  });
  return [...opened, ...followed, ...unheardOf];
}

/** Its record tells of what the policy took: a later loss is one of the row as the policy has left it. */
const endedByPolicy = (record: ConflictRecord | undefined): boolean =>
  record?.status === 'resolved' && record.overwritten.length > 0;

type Place = 'parked' | 'table' | 'nowhere' | 'as it was';

/** Where these effects put a row. */
function placesAfter(effects: readonly RowEffect[]): (ref: RowRef) => Place {
  const of = (kind: RowEffect['kind']) => new Set(effects.filter((e) => e.kind === kind).map(rowId));
  const [parked, unparked, shown] = [of('park'), of('unpark'), of('insert')];
  return (ref) => {
    if (parked.has(rowId(ref))) return 'parked';
    if (!unparked.has(rowId(ref))) return 'as it was';
    return shown.has(rowId(ref)) ? 'table' : 'nowhere';
  };
}

/**
 * What became of a write whose row was parked; null: nothing new. Who inserted a row over it did not see it: nobody decided
 * against it, so its record is open, also where the row was back already.
 */
function becameOf(
  { status }: ConflictRecord,
  write: Entry,
  entries: readonly Entry[],
  place: Place,
): Pick<ConflictRecord, 'status' | 'reason'> | null {
  const over = insertOver(write, entries);
  if (over !== undefined && status !== 'resolved') return { status: 'open', reason: takenBy(over) };
  if (status !== 'open' || place === 'parked' || place === 'as it was') return null;
  return { status: 'withdrawn', reason: place === 'table' ? 'the row is back in its table' : 'the row was deleted' };
}

/** The insert that took the key of the write's row from it, with no delete in between. */
const insertOver = (write: Entry, entries: readonly Entry[]): Entry | undefined =>
  entries.find(
    (e) =>
      e.op === 'insert' &&
      covers(e, write) &&
      !entries.some((d) => d.op === 'delete' && covers(d, write) && covers(e, d)),
  );

const takenBy = ({ origin }: Entry): string =>
  `${origin} inserted a new row under this key while this one was parked: this one does not return`;

/** Apart from the record that the same change may have for a register it lost. */
export const parkingId = (digest: Digest, ref: RowRef, e: Pick<ConflictVersion, 'origin' | 'id'>): string =>
  recordId(digest, { table: ref.table, key: `${ref.key}\nparked` as RowRef['key'] }, e);

/** The write that is not in the table: the claim that lost the key, or the last write of the child. */
function parkedWrite(park: Park, writes: readonly Entry[], entries: readonly Entry[]): Entry | undefined {
  if (park.because.kind === 'foreign_key') return writes.findLast((write) => !isOfEarlierRow(write, entries));
  const claims = JSON.parse(park.claims) as Record<string, [string, string, string] | null>;
  const claim = Object.hasOwn(claims, park.because.constraint) ? claims[park.because.constraint] : null;
  return writes.find((e) => claim != null && String(e.id) === claim[2] && e.origin === claim[1]);
}

/** Its row was deleted before this one was inserted under the key: its record tells how that one ended. */
const isOfEarlierRow = (write: Entry, entries: readonly Entry[]): boolean =>
  entries.some((d) => d.op === 'delete' && covers(d, write) && entries.some((e) => e.op === 'insert' && covers(e, d)));

function parkedRecord(
  id: string,
  region: RegionId,
  park: Park,
  loser: Entry,
  entries: ReadonlyMap<string, readonly Entry[]>,
): ConflictRecord {
  const { because } = park;
  const { other, constraint } = because;
  const lost = [because, ...(because.also ?? [])];
  const rows = lost.map((l) => `${l.other.table} ${l.other.key} has the earlier claim on ${l.constraint}`).join(', ');
  const reason =
    because.kind === 'unique_key'
      ? `${rows}; this row is parked and returns when the ${lost.length > 1 ? 'keys are' : 'key is'} free`
      : `${other.table} ${other.key}, to which ${constraint} refers, is deleted; this row is parked and returns with it`;
  const kind = kindOfPark(park, loser);
  const holders = severalOthers(park).flatMap(
    (ref) => entries.get(rowId(ref))?.findLast((e) => e.op !== 'delete') ?? [],
  );
  const record = newRecord(id, region, park, kind, loser, parseValues(park.values), reason);
  return { ...record, versions: [...record.versions, ...holders.map(versionOf)] };
}

/** Rows to which a row lost more than one key: none where it lost all to one. */
function severalOthers({ because }: Park): RowRef[] {
  const others = distinctRows([because.other, ...(because.also ?? []).map((l) => l.other)]);
  return others.length > 1 ? others : [];
}

const kindOfPark = (park: Park, { op }: Entry): ConflictKind => {
  if (park.because.kind === 'foreign_key') return 'foreign_key_missing';
  return severalOthers(park).length > 0 ? 'multiple_unique_conflicts' : kindOfClaim(op);
};

/** As its parking was called. */
export function kindOfLoss(losses: readonly Loss[], op: Entry['op']): ConflictKind {
  const keys = losses.filter((l) => l.kind === 'unique_key');
  if (keys.length === 0) return 'foreign_key_missing';
  return distinctRows(keys.map((l) => l.other)).length > 1 ? 'multiple_unique_conflicts' : kindOfClaim(op);
}

const kindOfClaim = (op: Entry['op']): ConflictKind => (op === 'insert' ? 'insert_exists' : 'update_exists');

const newRecord = (
  id: string,
  region: RegionId,
  { table, key }: RowRef,
  kind: ConflictKind,
  loser: Entry,
  result: Values,
  reason: string,
): ConflictRecord => ({
  ...{ id, table, key, kind, region, status: 'open', result, reason },
  ...{ loser: ownVersion(loser), versions: [ownVersion(loser)], base: null, overwritten: [] },
});

/** The recording region's own clock. */
const ownVersion = (loser: Entry): ConflictVersion => ({ ...versionOf(loser), clockOffsetMs: 0 });
