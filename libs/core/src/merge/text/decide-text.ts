import { type Entry, maximal } from '../../causality/coverage.js';
import { type Values, onlyColumns, patchOf, valueIn } from '../../change/change.js';
import type { Verdict } from '../../conflict/resolve.js';
import { compareRank, winner } from '../../policy/rank.js';
import type { TextPolicy } from '../../policy/table-policy.js';
import { mergeText } from './merge-text.js';

/**
 * More changes that were made beside one another, or more text in them, are not merged: the latest by stamp stands, and the others are
 * recorded. A merge takes time that grows with both, under the row's lock.
 */
export const MOST_MEMBERS = 2_000;
const MOST_TEXT = 64_000_000;

export interface DecidedText {
  readonly value: string | null;
  readonly verdict: Verdict;
}

/** `members` as {@link textMembers} finds them: a function of these, so that every region merges, or none. */
export function decideText(column: string, policy: TextPolicy, members: readonly Entry[]): DecidedText {
  const versions = maximal(members).sort((a, b) => compareRank(BY_STAMP, [column], a, b));
  const won = winner(BY_STAMP, [column], versions);
  const wrote = (e: Entry): Values => onlyColumns(patchOf(e), [column]);
  const epoch = versions.reduce((last, e) => Math.max(last, e.epoch), 0);
  const latest = textIn(column, won);
  const { value, failure } = mergedWithin(column, policy, members);
  const losers = failure === null ? [] : versions.filter((e) => textIn(column, e) !== latest);
  return {
    value: failure === null ? value : latest,
    verdict: { ...{ columns: [column], part: null, policy, failure, versions, losers, wrote, epoch }, winner: won },
  };
}

const BY_STAMP = { kind: 'hlc' } as const;

const textIn = (column: string, e: Entry): string | null => valueIn(patchOf(e), column);

interface Merged {
  readonly value: string | null;
  /** Why there is none. */
  readonly failure: string | null;
}

function mergedWithin(column: string, { longest }: TextPolicy, members: readonly Entry[]): Merged {
  const failed = (failure: string): Merged => ({ value: null, failure });
  const beside = `${members.length} edits that had not all seen one another`;
  if (members.length > MOST_MEMBERS) return failed(`${beside} are more than are merged`);
  const length = members.reduce((sum, e) => sum + (textIn(column, e) ?? '').length, 0);
  if (length > MOST_TEXT) return failed(`${beside} have ${length} characters, more than are merged`);
  const value = mergeText(column, members);
  if (longest !== null && lengthOf(value ?? '') > longest)
    return failed(`${beside} make more than the ${longest} characters that the column takes`);
  return { value, failure: null };
}

/** As PostgreSQL counts. */
const lengthOf = (text: string): number => [...text].length;
