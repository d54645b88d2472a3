import { type Entry, maximal, sameChange } from '../causality/coverage.js';
import { relationOf } from '../causality/relation.js';
import { changeRef, patchOf, rankOf } from '../change/change.js';
import { type Register, type TableSpec, mergedColumns } from '../policy/table-policy.js';
import type { ChangeName, RowConflict, RowStanding, RowVersion } from '../ports/row-log.js';
import { decideAmong, type Decision } from './decide-among.js';
import { explainCounter } from './explain-counter.js';
import { nameOfPolicy, reasonOf, versionOf } from './explain.js';
import type { Beaten, ChangeSource, ColumnExplanation, Explanation, RowExplanation } from './row-explanation.js';
import { olderThanLog } from './older-than-log.js';

/** Why the row is as it is, by the changes of it that the log still has, and by its open conflict records. */
export function explainRow(standing: RowStanding): RowExplanation {
  const { row, parked, conflicts } = standing;
  const applied = { ...standing, versions: standing.versions.filter((v) => !v.waiting) };
  return {
    exists: row?.place === 'table',
    place: row?.place ?? null,
    parked,
    existence: explainExistence(applied),
    columns: row === null ? [] : explainColumns(applied),
    waiting: standing.versions.length - applied.versions.length,
    conflicts,
  };
}

/** The changes that {@link explainRow} needs the values of: those among which each register, and the row's existence, is decided. */
export function decidingVersions(spec: TableSpec, versions: readonly RowVersion[]): readonly RowVersion[] {
  const applied = versions.filter((v) => !v.waiting);
  const sets = [...spec.registers.map((register) => writersOf(register, applied)), applied];
  const last = lastInsert(applied);
  const deciding = new Set(sets.flatMap((of) => maximal(of.map((v) => v.entry))));
  return applied.filter((v) => deciding.has(v.entry) || v === last);
}

function explainColumns(standing: RowStanding): ColumnExplanation[] {
  const { spec, row } = standing;
  const values = row!.values;
  const told = (column: string, group: readonly string[], explanation: Explanation): ColumnExplanation => ({
    ...{ column, group, value: values[column] ?? null, sums: null },
    ...explanation,
  });
  return [
    ...spec.keyColumns.map((column) => told(column, [], { ...KEY_PART, conflicts: [] })),
    ...spec.registers.flatMap((register) => {
      const explanation = explainRegister(register, standing);
      return register.columns.map((column) => told(column, register.columns, explanation));
    }),
    ...spec.counters.map((column) => ({ ...told(column, [], KEY_PART), ...explainCounter(column, standing) })),
  ];
}

const KEY_PART: Explanation = { change: null, beat: [], reason: 'part of the primary key', conflicts: [] };

function explainRegister(register: Register, standing: RowStanding): Explanation {
  const { spec, row, versions } = standing;
  const writers = writersOf(register, versions);
  const records = recordsOf(standing, register.columns);
  const conflicts = records.map((r) => r.id);
  if (writers.length === 0) return { change: null, beat: [], reason: olderThanLog(standing), conflicts };
  if (mergedColumns({ registers: [register] }).length > 0) return explainMerged(register, writers, conflicts);
  const decision = decideAmong(spec, register, maximal(writers.map((v) => v.entry)), row!.values);
  const holds = register.columns.every((c) => decision.values[c] === row!.values[c]);
  return holds ? explained(decision, writers, records) : { ...lostToForgotten(decision), conflicts };
}

/** Made of all that was written unseen: nobody has beaten anybody, but in a leaf, of which a record tells. */
function explainMerged(
  { columns, policy }: Register,
  writers: readonly RowVersion[],
  conflicts: readonly string[],
): Explanation {
  const versions = [...maximal(writers.map((v) => v.entry))].sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
  const origins = [...new Set(versions.map((e) => e.origin))];
  const latest = versions.at(-1)!;
  const reason =
    origins.length === 1
      ? `${latest.origin} wrote it last: it had seen every other write of it that the log has`
      : `made of what ${origins.join(' and ')} wrote, which had not seen each other (${nameOfPolicy({ policy })}${policy.kind === 'text' ? `: ${versions.map(changeRef).join(', ')}` : ''})`;
  return { change: sourceOf(latest, columns[0]), beat: [], reason, conflicts };
}

function explainExistence(standing: RowStanding): Explanation {
  const { spec, row, versions } = standing;
  const records = recordsOf(standing, []);
  const conflicts = records.map((r) => r.id);
  const older = { change: null, beat: [], reason: olderThanLog(standing), conflicts };
  if (versions.length === 0) return older;
  const decision = decideAmong(spec, null, maximal(versions.map((v) => v.entry)), row?.values ?? null);
  if (decision.exists !== (row !== null)) return { ...lostToForgotten(decision), conflicts };
  if (decision.verdict.losers.length > 0) return explained(decision, versions, records);
  const inserted = lastInsert(versions);
  if (!decision.exists) return plain(decision.verdict.winner, 'deleted it', conflicts);
  return inserted === undefined ? older : plain(inserted.entry, 'inserted it', conflicts);
}

const plain = (change: Entry, did: string, conflicts: readonly string[]): Explanation => ({
  change: sourceOf(change, undefined),
  beat: [],
  reason: `${change.origin} ${did}`,
  conflicts,
});

function explained({ verdict }: Decision, among: readonly RowVersion[], records: readonly RowConflict[]): Explanation {
  const { columns, winner, losers } = verdict;
  const versionNamed = (e: Entry): RowVersion => among.find((v) => sameChange(v.entry, e))!;
  const won = versionNamed(winner);
  const others = verdict.versions.filter((e) => e !== winner && (columns.length > 0 || losers.includes(e)));
  // What had seen what may be forgotten: a record still tells of the change that was overwritten unseen.
  const beside = others.filter(
    (e) => relationOf(versionNamed(e), won) === 'concurrent' || records.some((r) => sameName(r.loser, e)),
  );
  const beat = beside.map((e): Beaten => ({
    ...versionOf(withRank(e, columns[0])),
    values: verdict.wrote(e),
    reason: losers.includes(e) ? reasonOf(verdict, e) : `${e.origin} wrote the same`,
  }));
  return {
    change: sourceOf(winner, columns[0]),
    beat,
    reason: sentence(winner, beat, others.length - beside.length),
    conflicts: records.map((r) => r.id),
  };
}

function sentence(winner: Entry, beat: readonly Beaten[], forgotten: number): string {
  const reasons = [...new Set(beat.map((b) => b.reason))];
  const told = reasons.length > 0 ? reasons.join('. ') : `${winner.origin} wrote it last`;
  if (forgotten > 0)
    return `${told}; whether it had seen ${forgotten === 1 ? 'another write' : `${forgotten} other writes`} is forgotten`;
  return reasons.length > 0 ? told : `${told}: it had seen every other write of it that the log has`;
}

/** What the log has would have ended otherwise: what won is not in it any more. */
const lostToForgotten = ({ verdict }: Decision): Omit<Explanation, 'conflicts'> => ({
  change: null,
  beat: verdict.versions.map((e): Beaten => ({
    ...versionOf(withRank(e, verdict.columns[0])),
    values: verdict.wrote(e),
    reason: 'what it lost to is older than the log',
  })),
  reason: `older than the log: what ${[...new Set(verdict.versions.map((e) => e.origin))].join(' and ')} wrote later lost to it`,
});

const sourceOf = (e: Entry, column: string | undefined): ChangeSource => {
  const { origin, id, stamp, wall, actor, application } = versionOf(withRank(e, column));
  return { origin, id, stamp, wall, actor, application };
};

const withRank = (e: Entry, column: string | undefined): Entry => ({ ...e, ...rankOf(e, column) });

const writersOf = ({ columns }: Register, versions: readonly RowVersion[]): RowVersion[] =>
  versions.filter(({ entry }) => {
    const patch = patchOf(entry);
    return columns.some((c) => Object.hasOwn(patch, c));
  });

const lastInsert = (versions: readonly RowVersion[]): RowVersion | undefined =>
  versions.findLast((v) => v.entry.op === 'insert');

const sameName = (a: ChangeName, b: ChangeName): boolean => a.origin === b.origin && a.id === b.id;

/** Records in which a change was overwritten in one of these columns; none: in the row's existence. */
const recordsOf = ({ conflicts }: RowStanding, columns: readonly string[]): RowConflict[] =>
  conflicts.filter(({ overwritten }) =>
    overwritten.some((of) => (columns.length === 0 ? of.length === 0 : of.some((c) => columns.includes(c)))),
  );
