import type { Entry } from '../causality/coverage.js';
import { type Values, isMove, isTouch, patchOf, rankOf } from '../change/change.js';
import { millisOf } from '../stamp.js';
import type { ConflictKind, ConflictVersion } from './record.js';
import type { Verdict } from './resolve.js';

export const versionOf = (e: Entry): ConflictVersion => ({
  origin: e.origin,
  id: e.id,
  op: e.op,
  stamp: e.stamp.toString(),
  wall: isoOfMicros(e.wall),
  actor: e.actor,
  values: patchOf(e),
});

/** PostgreSQL names a conflict after the change that could not simply be applied: here the overwritten one's fate. */
export function kindOf(loser: Entry, winner: Entry): ConflictKind {
  if (winner.op === 'delete') return 'update_deleted';
  if (loser.op === 'delete') return 'delete_origin_differs';
  return loser.op === 'insert' && winner.op === 'insert' ? 'insert_exists' : 'update_origin_differs';
}

/** One plain sentence: who won, why, and that the loser's region had not seen it. */
export function reasonOf(verdict: Verdict, loser: Entry): string {
  const { winner } = verdict;
  const unseen = `${loser.origin} had not yet seen it`;
  if (verdict.columns.length === 0) return `${existenceReason(verdict)}; ${unseen}`;
  if (verdict.policy === 'lww' && wallOf(verdict, winner) !== wallOf(verdict, loser)) {
    const later = millis(wallOf(verdict, winner) - wallOf(verdict, loser), 1000n);
    return `${winner.origin}'s write won: its wall clock is ${later} later; ${unseen}`;
  }
  return `${winner.origin}'s write won: ${stampReason(verdict, loser)}; ${unseen}`;
}

function existenceReason({ winner, policy, versions }: Verdict): string {
  const deleted = winner.op === 'delete';
  const touch = policy === 'update-wins' || deleted ? undefined : versions.find(isTouch);
  if (touch !== undefined) return `the row stays: in ${touch.origin} a row that refers to it was written`;
  const move = deleted ? versions.find(isMove) : undefined;
  if (move !== undefined) return `in ${move.origin} the row went on under another key`;
  if (policy === 'by-stamp') return `${winner.origin}'s ${deleted ? 'delete' : 'write'} won: its stamp is the latest`;
  return deleted
    ? `${winner.origin}'s delete won: the policy of this table is ${policy}`
    : `${winner.origin}'s write kept the row: the policy of this table is ${policy}`;
}

function stampReason(verdict: Verdict, loser: Entry): string {
  const a = stampOf(verdict, verdict.winner);
  const b = stampOf(verdict, loser);
  if (a === b) return `the stamps are equal, and ${verdict.winner.origin} ranks after ${loser.origin} by name`;
  const ms = millisOf(a) - millisOf(b);
  return ms === 0 ? 'its stamp is later within the same millisecond' : `its stamp is ${ms} ms later`;
}

const stampOf = (verdict: Verdict, e: Entry) => rankOf(e, verdict.columns[0]).stamp;
const wallOf = (verdict: Verdict, e: Entry): bigint => rankOf(e, verdict.columns[0]).wall;
const millis = (difference: bigint, perMilli: bigint): string => `${difference / perMilli} ms`;

/** Of a register's columns what this version wrote; of the row's existence all it wrote. */
export const valuesFor = (columns: readonly string[], e: Entry): Values => {
  const written = Object.entries(patchOf(e));
  return Object.fromEntries(columns.length === 0 ? written : written.filter(([column]) => columns.includes(column)));
};

const MAX_DATE_MICROS = 8_640_000_000_000_000_000n;

/** An lww column may be ±infinity, which no ISO date is. */
function isoOfMicros(micros: bigint): string {
  if (micros > MAX_DATE_MICROS) return 'infinity';
  if (micros < -MAX_DATE_MICROS) return '-infinity';
  return new Date(Number(micros / 1000n)).toISOString();
}
