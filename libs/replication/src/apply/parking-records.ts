import {
  type ApplyTransaction,
  type ConflictKind,
  type ConflictRecord,
  type Digest,
  type Entry,
  type RegionId,
  type RowEffect,
  type RowRef,
  covers,
  parseValues,
  recordId,
  rowId,
  versionOf,
} from '@meridian/core';
import { groupByRow } from './batch.js';

type Park = Extract<RowEffect, { kind: 'park' }>;

/**
 * Records of rows that this step takes out of their table, and what becomes of those of rows that are parked no more.
 * `overtaken`: a local insert took their key.
 */
export async function recordParking(
  tx: ApplyTransaction,
  digest: Digest,
  region: RegionId,
  effects: readonly RowEffect[],
  overtaken: readonly RowRef[] = [],
): Promise<ConflictRecord[]> {
  const parks = effects.filter((e): e is Park => e.kind === 'park');
  const released = [...effects.filter((e) => e.kind === 'unpark'), ...overtaken];
  const rows = [...parks, ...released].map(({ table, key }): RowRef => ({ table, key }));
  if (rows.length === 0) return [];
  const entries = groupByRow(await tx.entriesOf(rows));
  const ownWrites = (ref: RowRef) =>
    (entries.get(rowId(ref)) ?? []).filter((e) => e.origin === region && e.op !== 'delete');
  const known = await tx.conflictRecords(rows.flatMap((ref) => ownWrites(ref).map((e) => parkingId(digest, ref, e))));
  const opened = parks.flatMap((park) => {
    const loser = parkedWrite(park, ownWrites(park));
    if (loser === undefined) return [];
    const id = parkingId(digest, park, loser);
    return known.get(id)?.status === 'open' ? [] : [openRecord(id, region, park, loser)];
  });
  const placeOf = placesAfter(effects);
  const followed = rows.flatMap((ref) =>
    ownWrites(ref).flatMap((write) => {
      const record = known.get(parkingId(digest, ref, write));
      const told = becameOf(write, entries.get(rowId(ref))!, placeOf(ref));
      return record?.status !== 'open' || told === null || told.reason === record.reason
        ? []
        : [{ ...record, ...told }];
    }),
  );
  return [...opened, ...followed];
}

/** Where a row is that was parked, or is now. */
function placesAfter(effects: readonly RowEffect[]): (ref: RowRef) => 'parked' | 'table' | 'nowhere' {
  const of = (kind: RowEffect['kind']) => new Set(effects.filter((e) => e.kind === kind).map(rowId));
  const [parked, shown] = [of('park'), of('insert')];
  return (ref) => (parked.has(rowId(ref)) ? 'parked' : shown.has(rowId(ref)) ? 'table' : 'nowhere');
}

/**
 * What became of a write whose row was parked; null: it still is. Who inserted a row under its key did not see it: nobody decided
 * against it, so its record stays open.
 */
function becameOf(
  write: Entry,
  entries: readonly Entry[],
  place: 'parked' | 'table' | 'nowhere',
): Pick<ConflictRecord, 'status' | 'reason'> | null {
  const anew = entries.find((e) => e.op === 'insert' && covers(e, write));
  if (anew !== undefined)
    return {
      status: 'open',
      reason: `${anew.origin} inserted a new row under this key while this one was parked: this one does not return`,
    };
  if (place === 'parked') return null;
  return { status: 'withdrawn', reason: place === 'table' ? 'the row is back in its table' : 'the row was deleted' };
}

/** Apart from the record that the same change may have for a register it lost. */
const parkingId = (digest: Digest, ref: RowRef, e: Entry): string =>
  recordId(digest, { table: ref.table, key: `${ref.key}\nparked` as RowRef['key'] }, e);

/** The write that is not in the table: the claim that lost the key, or the last write of the child. */
function parkedWrite(park: Park, writes: readonly Entry[]): Entry | undefined {
  if (park.because.kind === 'foreign_key') return writes.at(-1);
  const claims = JSON.parse(park.claims) as Record<string, [string, string, string] | null>;
  const claim = Object.hasOwn(claims, park.because.constraint) ? claims[park.because.constraint] : null;
  return writes.find((e) => claim != null && String(e.id) === claim[2] && e.origin === claim[1]);
}

function openRecord(id: string, region: RegionId, park: Park, loser: Entry): ConflictRecord {
  const { because } = park;
  const unique = because.kind === 'unique_key';
  const kind: ConflictKind = !unique
    ? 'foreign_key_missing'
    : loser.op === 'insert'
      ? 'insert_exists'
      : 'update_exists';
  const reason = unique
    ? `${because.other.table} ${because.other.key} has the earlier claim on ${because.constraint}; this row is parked and returns when the key is free`
    : `${because.other.table} ${because.other.key}, to which ${because.constraint} refers, is deleted; this row is parked and returns with it`;
  return {
    id,
    table: park.table,
    key: park.key,
    kind,
    region,
    status: 'open',
    loser: versionOf(loser),
    versions: [versionOf(loser)],
    base: null,
    overwritten: [],
    result: parseValues(park.values),
    reason,
  };
}
