import type { Entry } from '../causality/coverage.js';
import { beforeOf, changeRef, type Values } from '../change/change.js';
import type { Digest } from '../digest.js';
import type { RegionId, RowRef } from '../ids.js';
import { type ClockOffsets, UNKNOWN_OFFSETS } from './clock-offsets.js';
import { kindOf, nameOf, nameOfPolicy, reasonOf, versionOf } from './explain.js';
import type { ConflictKind, ConflictRecord, ConflictVersion, Overwritten } from './record.js';
import { baseOf, type Resolution, type Verdict } from './resolve.js';

/** What the verdicts on one row mean for the records of one region's changes. */
export interface Recording {
  readonly ref: RowRef;
  readonly resolution: Resolution;
}

/** A record's id: one for each overwritten change of a row. */
export const recordId = (digest: Digest, ref: RowRef, change: Pick<Entry, 'origin' | 'id'>): string =>
  digest(`${ref.table}\n${ref.key}\n${changeRef(change)}`).slice(0, 32);

/** Ids of the records that verdicts may open, follow or withdraw in this region: those of its own changes among the versions. */
export const touchedRecordIds = (digest: Digest, region: RegionId, recordings: readonly Recording[]): string[] => [
  ...new Set(
    recordings.flatMap(({ ref, resolution }) =>
      resolution.verdicts.flatMap((v) =>
        v.versions.filter((e) => e.origin === region).map((e) => recordId(digest, ref, e)),
      ),
    ),
  ),
];

/**
 * The records as they stand after these verdicts. Each region tells what became of its own users' writes: a loser of another
 * region is recorded there. When a later arrival changes the winner, the record follows; when the overwritten change comes
 * back as the winner of all it had lost, the record is withdrawn. Returns only those that changed.
 */
export function recordVerdicts(
  digest: Digest,
  region: RegionId,
  recordings: readonly Recording[],
  existing: ReadonlyMap<string, ConflictRecord>,
  offsets: ClockOffsets = UNKNOWN_OFFSETS,
): ConflictRecord[] {
  const records = new Map(existing);
  const changed = new Set<string>();
  for (const { ref, resolution } of recordings)
    for (const verdict of resolution.verdicts)
      for (const own of verdict.versions.filter((e) => e.origin === region)) {
        const id = recordId(digest, ref, own);
        const next = verdict.losers.includes(own)
          ? overwrite(records.get(id), id, ref, own, verdict, resolution, offsets)
          : withdraw(records.get(id), verdict);
        if (next === undefined) continue;
        records.set(id, next);
        changed.add(id);
      }
  // Opened and withdrawn by the same batch (a delete, then an insert): nobody has seen it, and there is nothing to tell.
  return [...changed].map((id) => records.get(id)!).filter((r) => r.status !== 'withdrawn' || existing.has(r.id));
}

function overwrite(
  record: ConflictRecord | undefined,
  id: string,
  ref: RowRef,
  loser: Entry,
  verdict: Verdict,
  resolution: Resolution,
  offsets: ClockOffsets,
): ConflictRecord {
  const entry: Overwritten = {
    columns: verdict.columns,
    part: verdict.part,
    policy: nameOfPolicy(verdict),
    epoch: verdict.epoch,
    winner: { origin: verdict.winner.origin, id: verdict.winner.id },
    lost: verdict.wrote(loser),
    result: resolution.exists ? verdict.wrote(verdict.winner) : null,
    reason: reasonOf(verdict, loser),
  };
  const kept = others(record, verdict);
  const overwritten = [...kept, entry];
  const told = (e: Entry): ConflictVersion => versionWithOffset(record, loser.origin, e, offsets);
  return {
    id,
    table: ref.table,
    key: ref.key,
    kind: record !== undefined && kept.some(isExistence) ? record.kind : kindOf(loser, verdict.winner),
    region: loser.origin,
    status: 'open',
    loser: told(loser),
    versions: mergeVersions(versionsOf(record, kept), verdict.versions.map(told)),
    base: baseWith(kept.some(isExistence) ? (record?.base ?? null) : null, verdict) ?? record?.base ?? null,
    overwritten,
    result: resolution.exists ? resolution.values : null,
    reason: sentence(overwritten),
  };
}

/** Of one that the record has already, the clock as it was read then. */
function versionWithOffset(
  record: ConflictRecord | undefined,
  region: RegionId,
  e: Entry,
  offsets: ClockOffsets,
): ConflictVersion {
  const known = record?.versions.find((v) => v.origin === e.origin && v.id === e.id)?.clockOffsetMs;
  return { ...versionOf(e), clockOffsetMs: e.origin === region ? 0 : (known ?? offsets(e.origin)) };
}

/** Of a row that is gone all that the delete took is kept, so that it can be written back. */
function baseWith(kept: Values | null, verdict: Verdict): Values | null {
  const base = baseOf(verdict.versions);
  const taken = isExistence(verdict) && verdict.winner.op === 'delete' ? beforeOf(verdict.winner) : kept;
  return taken === null ? base : { ...taken, ...base };
}

/** The change won this register again (or its value stands): what it had lost there is not lost. */
function withdraw(record: ConflictRecord | undefined, verdict: Verdict): ConflictRecord | undefined {
  if (record === undefined || record.status === 'withdrawn') return undefined;
  const overwritten = others(record, verdict);
  if (overwritten.length === record.overwritten.length) return undefined;
  return overwritten.length === 0
    ? { ...record, status: 'withdrawn', reason: 'the overwritten change is the winner after all' }
    : { ...record, kind: kindOfRest(record, verdict), overwritten, reason: sentence(overwritten) };
}

/** The row is back, of what was written to it something is still overwritten: no longer `update_deleted`. */
function kindOfRest(record: ConflictRecord, withdrawn: Verdict): ConflictKind {
  if (!isExistence(withdrawn)) return record.kind;
  return record.loser.op === 'insert' ? 'insert_exists' : 'update_origin_differs';
}

const isExistence = ({ columns }: Overwritten | Verdict): boolean => columns.length === 0;

/** A withdrawn record keeps what it last told; of that nothing is overwritten any more. */
const others = (record: ConflictRecord | undefined, verdict: Verdict): Overwritten[] =>
  record === undefined || record.status === 'withdrawn'
    ? []
    : record.overwritten.filter((o) => nameOf(o) !== nameOf(verdict));

const sentence = (overwritten: readonly Overwritten[]): string =>
  overwritten.map((o) => (o.columns.length === 0 ? o.reason : `${nameOf(o)}: ${o.reason}`)).join('. ');

/** Those that the rest still tells of: on a hot row hundreds of winners follow each other. */
const versionsOf = (record: ConflictRecord | undefined, kept: readonly Overwritten[]): ConflictVersion[] =>
  (record?.versions ?? []).filter((v) => kept.some(({ winner }) => winner.origin === v.origin && winner.id === v.id));

const mergeVersions = (a: readonly ConflictVersion[], b: readonly ConflictVersion[]): ConflictVersion[] => [
  ...new Map([...a, ...b].map((v) => [changeRef(v as never), v])).values(),
];
