import type { Entry } from '../causality/coverage.js';
import { beforeOf, changeRef, type Values } from '../change/change.js';
import type { Digest } from '../digest.js';
import type { RegionId, RowRef } from '../ids.js';
import { type ClockOffsets, UNKNOWN_OFFSETS } from './clock-offsets.js';
import { isDecision } from './decision-reason.js';
import { kindOf, nameOf, nameOfPolicy, reasonOf, versionOf } from './explain.js';
import type { ConflictKind, ConflictRecord, ConflictVersion, Overwritten } from './record.js';
import type { Resolution, Verdict } from './resolve.js';

/** What the verdicts on one row mean for the records of one region's changes. */
export interface Recording {
  readonly ref: RowRef;
  readonly resolution: Resolution;
  /** Verdicts of somebody's past: of their losers it is told where nothing tells of them, and nobody comes back by them. */
  readonly past?: true;
}

/** A record's id: one for each overwritten change of a row. */
export const recordId = (digest: Digest, ref: RowRef, change: Pick<ConflictVersion, 'origin' | 'id'>): string =>
  digest(`${ref.table}\n${ref.key}\n${changeRef(change)}`).slice(0, 32);

/** Ids of the records that verdicts may open, follow or withdraw in this region: those of its own changes among the versions. */
export function touchedRecordIds(digest: Digest, region: RegionId, recordings: readonly Recording[]): string[] {
  const ids = new Set<string>();
  for (const { ref, resolution } of recordings)
    for (const { versions } of resolution.verdicts)
      for (const own of versions) if (own.origin === region) ids.add(recordId(digest, ref, own));
  return [...ids];
}

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
  for (const { ref, resolution, past } of recordings)
    for (const verdict of resolution.verdicts)
      for (const own of verdict.versions) {
        if (own.origin !== region) continue;
        const id = recordId(digest, ref, own);
        if (past && (!verdict.losers.includes(own) || tells(records.get(id), verdict))) continue;
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
  const versions = verdict.versions.map((e) => versionWithOffset(record, loser.origin, e, offsets));
  return {
    id,
    table: ref.table,
    key: ref.key,
    kind: record !== undefined && kept.some(isExistence) ? record.kind : kindOf(loser, verdict.winner),
    region: loser.origin,
    status: statusOf(overwritten),
    loser: versions[verdict.versions.indexOf(loser)]!,
    versions: mergeVersions(versionsOf(record, kept), versions),
    base: baseWith(kept.length === 0 ? null : record!.base, verdict),
    overwritten,
    result: resolution.exists ? resolution.values : null,
    reason: sentence(ref, overwritten),
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

/**
 * What the versions wrote over, of each column the first one that did; with what is known of the columns that the record tells of
 * besides. Of a row that is gone all that the delete took is kept, so that it can be written back.
 */
function baseWith(kept: Values | null, verdict: Verdict): Values | null {
  const befores = verdict.versions.filter((e) => e.before !== null).map(beforeOf);
  const taken = isExistence(verdict) && verdict.winner.op === 'delete' ? [beforeOf(verdict.winner)] : [];
  const known = [...befores, ...(kept === null ? [] : [kept]), ...taken];
  return known.length === 0 ? null : (Object.assign({}, ...known.toReversed()) as Values);
}

/** The change won this register again (or its value stands): what it had lost there is not lost. */
function withdraw(record: ConflictRecord | undefined, verdict: Verdict): ConflictRecord | undefined {
  if (record === undefined || record.status === 'withdrawn') return undefined;
  const overwritten = others(record, verdict);
  if (overwritten.length === record.overwritten.length) return undefined;
  return overwritten.length === 0
    ? { ...record, status: 'withdrawn', reason: 'the overwritten change is the winner after all' }
    : { ...withOverwritten(record, overwritten), kind: kindOfRest(record, verdict) };
}

/** The row is back, of what was written to it something is still overwritten: no longer `update_deleted`. */
function kindOfRest(record: ConflictRecord, withdrawn: Verdict): ConflictKind {
  if (!isExistence(withdrawn)) return record.kind;
  return record.loser.op === 'insert' ? 'insert_exists' : 'update_origin_differs';
}

const tells = (record: ConflictRecord | undefined, verdict: Verdict): boolean =>
  record !== undefined && others(record, verdict).length < record.overwritten.length && record.status !== 'withdrawn';

const isExistence = ({ columns }: Overwritten | Verdict): boolean => columns.length === 0;

/** A withdrawn record keeps what it last told; of that nothing is overwritten any more. */
const others = (record: ConflictRecord | undefined, verdict: Verdict): Overwritten[] =>
  record === undefined || record.status === 'withdrawn'
    ? []
    : record.overwritten.filter((o) => nameOf(o) !== nameOf(verdict));

/** A decision is one thing: its columns tell nobody anything. */
const sentence = (of: Pick<RowRef, 'table'>, overwritten: readonly Overwritten[]): string =>
  overwritten
    .map((o) => (o.columns.length === 0 || isDecision(of) ? o.reason : `${nameOf(o)}: ${o.reason}`))
    .join('. ');
export const withOverwritten = (record: ConflictRecord, overwritten: readonly Overwritten[]): ConflictRecord => ({
  ...record,
  overwritten,
  status: statusOf(overwritten),
  reason: sentence(record, overwritten),
});

const statusOf = (overwritten: readonly Overwritten[]): ConflictRecord['status'] =>
  overwritten.every((o) => o.writtenOver !== undefined) ? 'resolved' : 'open';

/** Those that the rest still tells of: on a hot row hundreds of winners follow each other. */
const versionsOf = (record: ConflictRecord | undefined, kept: readonly Overwritten[]): ConflictVersion[] =>
  (record?.versions ?? []).filter((v) => kept.some(({ winner }) => winner.origin === v.origin && winner.id === v.id));

const mergeVersions = (a: readonly ConflictVersion[], b: readonly ConflictVersion[]): ConflictVersion[] => [
  ...new Map([...a, ...b].map((v) => [changeRef(v), v])).values(),
];
