import type { Entry } from '../causality/coverage.js';
import { type Values, isMove, isTouch, patchOf, rankOf } from '../change/change.js';
import { writerOf } from '../change/writer.js';
import { compareValues } from '../policy/value-order.js';
import { type Stamp, millisOf } from '../stamp.js';
import { decisionReason, isDecision } from './decision-reason.js';
import type { ConflictKind, ConflictVersion, Overwritten } from './record.js';
import type { Verdict } from './resolve.js';

export const versionOf = (e: Entry): ConflictVersion => ({
  origin: e.origin,
  id: e.id,
  op: e.op,
  stamp: e.stamp.toString(),
  wall: isoOfMicros(e.wall),
  ...writerOf(e),
  epoch: e.epoch,
  values: patchOf(e),
});

/** PostgreSQL names a conflict after the change that could not simply be applied: here the overwritten one's fate. */
export function kindOf(loser: Entry, winner: Entry): ConflictKind {
  if (winner.op === 'delete') return 'update_deleted';
  if (loser.op === 'delete') return 'delete_origin_differs';
  return loser.op === 'insert' && winner.op === 'insert' ? 'insert_exists' : 'update_origin_differs';
}

/** As a policy is named in a table's document. */
export const nameOfPolicy = ({ policy }: Pick<Verdict, 'policy'>): string =>
  policy.kind === 'merge' ? `merge:${policy.function.name}` : policy.kind;

/** As a person reads it: the columns, and behind one the way to a part of its value. */
export const nameOf = ({ columns, part }: Pick<Overwritten, 'columns' | 'part'>): string =>
  columns.join(', ') + (part ?? []).map((key) => (/^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('');

/** One plain sentence: who won, why, and that the loser's region had not seen it. */
export function reasonOf(verdict: Verdict, loser: Entry): string {
  if (isDecision(loser) && isDecision(verdict.winner) && verdict.columns.length > 0)
    return decisionReason(verdict.winner, loser, stampReason(verdict, loser));
  const unseen = `${loser.origin} had not yet seen it`;
  if (verdict.columns.length === 0) return `${existenceReason(verdict)}; ${unseen}`;
  return `${winReason(verdict, loser)}; ${unseen}`;
}

function winReason(verdict: Verdict, loser: Entry): string {
  const { winner, policy, failure } = verdict;
  if (policy.kind === 'merge') {
    const byFallback = winReason({ ...verdict, policy: policy.fallback, failure: null }, loser);
    return `the function ${policy.function.name} gave nothing (${failure ?? 'it has not run'}), and by ${policy.fallback.kind} ${byFallback}`;
  }
  if (policy.kind === 'text')
    return `${winner.origin}'s text stands whole (${failure ?? 'nothing was merged'}): ${stampReason(verdict, loser)}`;
  const won = `${winner.origin}'s write won`;
  const [value, other] = [onlyValue(verdict.wrote(winner)), onlyValue(verdict.wrote(loser))];
  switch (policy.kind) {
    case 'lww': {
      const later = wallOf(verdict, winner) - wallOf(verdict, loser);
      return `${won}: ${later === 0n ? stampReason(verdict, loser) : `its wall clock is ${later / 1000n} ms later`}`;
    }
    case 'first-write':
      return `${won}: ${earlierReason(verdict, loser)}`;
    case 'region-priority':
      return policy.regions.includes(winner.origin)
        ? `${won}: ${winner.origin} ranks first of them (${policy.regions.join(', ')})`
        : `${won}: neither region has a rank, and ${stampReason(verdict, loser)}`;
    case 'max':
    case 'min':
      if (value !== 'NULL' && other !== 'NULL' && compareValues(policy.order, value, other) === 0)
        return `${won}: ${value} and ${other} are equal, and ${stampReason(verdict, loser)}`;
      return `${won}: of ${value} and ${other} it is the ${policy.kind === 'max' ? 'greatest' : 'least'}`;
    case 'flag':
      return `${won}: of concurrent values ${value} wins`;
    case 'manual':
      return `${winner.origin}'s write stands until a person decides (${stampReason(verdict, loser)})`;
    case 'register':
      return `${winner.origin}'s value shows (${stampReason(verdict, loser)}), and this one stands beside it until somebody writes who has seen it`;
    default:
      return `${won}: ${stampReason(verdict, loser)}`;
  }
}

const onlyValue = (values: Values): string => Object.values(values)[0] ?? 'NULL';

function existenceReason({ winner, policy, versions }: Verdict): string {
  const deleted = winner.op === 'delete';
  const touch = policy.kind === 'update-wins' || deleted ? undefined : versions.find(isTouch);
  if (touch !== undefined) return `the row stays: in ${touch.origin} a row that refers to it was written`;
  const move = deleted ? versions.find(isMove) : undefined;
  if (move !== undefined) return `in ${move.origin} the row went on under another key`;
  if (policy.kind === 'by-stamp')
    return `${winner.origin}'s ${deleted ? 'delete' : 'write'} won: its stamp is the latest`;
  return deleted
    ? `${winner.origin}'s delete won: the policy of this table is ${policy.kind}`
    : `${winner.origin}'s write kept the row: the policy of this table is ${policy.kind}`;
}

const stampReason = (verdict: Verdict, loser: Entry): string =>
  stampsReason(stampOf(verdict, verdict.winner), stampOf(verdict, loser), 'later') ??
  `the stamps are equal, and ${verdict.winner.origin} ranks after ${loser.origin} by name`;

const earlierReason = (verdict: Verdict, loser: Entry): string =>
  stampsReason(stampOf(verdict, loser), stampOf(verdict, verdict.winner), 'earlier') ??
  `the stamps are equal, and ${verdict.winner.origin} ranks after ${loser.origin} by name`;

function stampsReason(greater: Stamp, less: Stamp, than: 'later' | 'earlier'): string | null {
  if (greater === less) return null;
  const ms = millisOf(greater) - millisOf(less);
  return ms === 0 ? `its stamp is ${than} within the same millisecond` : `its stamp is ${ms} ms ${than}`;
}

const stampOf = (verdict: Verdict, e: Entry) => rankOf(e, verdict.columns[0]).stamp;
const wallOf = (verdict: Verdict, e: Entry): bigint => rankOf(e, verdict.columns[0]).wall;
const MAX_DATE_MICROS = 8_640_000_000_000_000_000n;

/** An lww column may be ±infinity, which no ISO date is. */
function isoOfMicros(micros: bigint): string {
  if (micros > MAX_DATE_MICROS) return 'infinity';
  if (micros < -MAX_DATE_MICROS) return '-infinity';
  return new Date(Number(micros / 1000n)).toISOString();
}
