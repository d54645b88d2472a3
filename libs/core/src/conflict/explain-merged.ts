import { type Entry, maximal, sameChange } from '../causality/coverage.js';
import { relationOf } from '../causality/relation.js';
import { beforeOf, changeRef, patchOf, valueIn } from '../change/change.js';
import { elementsOf } from '../merge/array-text.js';
import type { Register } from '../policy/table-policy.js';
import type { RowConflict, RowStanding, RowVersion } from '../ports/row-log.js';
import { sourceOf, withRank } from './change-source.js';
import { decideAmong } from './decide-among.js';
import { nameOf, nameOfPolicy, reasonOf, versionOf } from './explain.js';
import { resolve, type Verdict } from './resolve.js';
import type { Beaten, Explanation } from './row-explanation.js';

/** What was made of all that was written unseen: nobody has beaten anybody, but in a leaf, or where a function gave nothing. */
export function explainMerged(
  register: Register,
  standing: RowStanding,
  writers: readonly RowVersion[],
  records: readonly RowConflict[],
): Explanation {
  const versions = [...maximal(writers.map((v) => v.entry))].sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
  const latest = versions.at(-1)!;
  const [column] = register.columns;
  const conflicts = records.map((r) => r.id);
  const origins = [...new Set(versions.map((e) => e.origin))];
  if (origins.length === 1) {
    const reason = `${latest.origin} wrote it last: it had seen every other write of it that the log has`;
    return { change: sourceOf(latest, column), beat: [], reason, conflicts };
  }
  const fellBack = byFallback(register, standing, versions, records);
  if (fellBack !== null) return { ...fellBack, conflicts };
  const beat = register.policy.kind === 'map' ? beatenLeaves(register, standing, versions, writers) : [];
  const told = [
    `made of what ${origins.join(' and ')} wrote, which had not seen each other (${nameOfPolicy(register)})`,
    ...elementsTold(register, versions),
    ...(register.policy.kind === 'text' ? [`its changes: ${versions.map(changeRef).join(', ')}`] : []),
    ...beat.map((b) => b.reason),
  ];
  return { change: sourceOf(latest, column), beat, reason: told.join('. '), conflicts };
}

/** A record tells of the function that gave nothing; the same versions, decided by the fallback, say who won. */
function byFallback(
  register: Register,
  { spec, row }: RowStanding,
  versions: readonly Entry[],
  records: readonly RowConflict[],
): Omit<Explanation, 'conflicts'> | null {
  if (register.policy.kind !== 'merge') return null;
  const { verdict } = decideAmong(spec, register, versions, row!.values);
  const beat = verdict.losers.flatMap((e): Beaten[] => {
    const record = records.find(({ loser }) => loser.origin === e.origin && loser.id === e.id);
    const reason = record?.reasons.find(({ columns }) => columns.some((c) => register.columns.includes(c)))?.reason;
    return reason === undefined ? [] : [{ ...beatenIn(verdict, e), reason }];
  });
  if (beat.length === 0) return null;
  const reason = [...new Set(beat.map((b) => b.reason))].join('. ');
  return { change: sourceOf(verdict.winner, register.columns[0]), beat, reason };
}

const beatenIn = (verdict: Verdict, e: Entry): Omit<Beaten, 'reason'> => ({
  ...versionOf(withRank(e, verdict.columns[0])),
  values: verdict.wrote(e),
});

/** Each of the versions as if it had come last: a leaf is decided when somebody writes it. */
function beatenLeaves(
  register: Register,
  { spec, row }: RowStanding,
  versions: readonly Entry[],
  writers: readonly RowVersion[],
): Beaten[] {
  const narrowed = { ...spec, registers: [register], counters: [] };
  const beat = new Map<string, Beaten>();
  for (const last of versions) {
    const others = versions.filter((e) => e !== last);
    for (const verdict of resolve(narrowed, last, others, row!.values).verdicts)
      for (const loser of verdict.part === null ? [] : verdict.losers)
        if (isConcurrent(writers, loser, verdict.winner)) {
          const reason = `${nameOf(verdict)}: ${reasonOf(verdict, loser)}`;
          beat.set(`${nameOf(verdict)}\n${loser.origin}/${loser.id}`, { ...beatenIn(verdict, loser), reason });
        }
  }
  return [...beat.values()];
}

function isConcurrent(writers: readonly RowVersion[], a: Entry, b: Entry): boolean {
  const named = (e: Entry): RowVersion => writers.find((v) => sameChange(v.entry, e))!;
  return relationOf(named(a), named(b)) === 'concurrent';
}

const MOST_ELEMENTS = 5;

/** Of a set, what each of them added and took away. */
function elementsTold({ columns: [column], policy }: Register, versions: readonly Entry[]): string[] {
  if (policy.kind !== 'set' && policy.kind !== 'grow-set') return [];
  return versions.flatMap((e) => {
    const before = new Set(elementsOf(e.op === 'insert' ? null : valueIn(beforeOf(e), column!)));
    const after = new Set(elementsOf(valueIn(patchOf(e), column!)));
    const added = [...after].filter((element) => !before.has(element));
    const removed = policy.kind === 'set' ? [...before].filter((element) => !after.has(element)) : [];
    const did = [...listed('added', added), ...listed('took away', removed)];
    return did.length === 0 ? [] : [`${e.origin} ${did.join(' and ')}`];
  });
}

const listed = (did: string, elements: readonly string[]): string[] =>
  elements.length === 0
    ? []
    : [`${did} ${elements.length > MOST_ELEMENTS ? `${elements.length} elements` : elements.join(', ')}`];
