import type { Entry } from '../causality/coverage.js';
import { type Values, valuesText } from '../change/change.js';
import { changeId, seq } from '../ids.js';
import { stamp } from '../stamp.js';
import { EMPTY_VECTOR } from '../vector.js';
import type { ConflictRecord, ConflictVersion } from './record.js';

/** A version as a record tells it, in the form in which versions are decided among. `values`: what it counts as having written. */
export const entryOf = (
  { table, key, base }: ConflictRecord,
  version: ConflictVersion,
  wall: bigint,
  values: Values,
): Entry => ({
  ...{ table, key, wall, epoch: 0, ranks: null, unseen: null, actor: version.actor, op: version.op },
  ...{ origin: version.origin, id: changeId(version.id), stamp: stamp(BigInt(version.stamp)) },
  patch: version.op === 'delete' ? null : valuesText(values),
  before: version.op === 'insert' || base === null ? null : valuesText(base),
  // Of one origin the later had seen the earlier, of several none had seen another: that is what made it a record.
  seq: seq(version.id),
  deps: EMPTY_VECTOR,
});

/** The origin's clock, as far as a record tells: to the millisecond. */
export function wallOf({ wall }: ConflictVersion): bigint {
  if (wall === 'infinity') return BEYOND;
  if (wall === '-infinity') return -BEYOND - 1n;
  return BigInt(Date.parse(wall)) * 1000n;
}

/** As capture has it: what a bigint can say is before it, and of what it cannot, the years from 294,247 on, all is equal. */
const BEYOND = 2n ** 63n - 1n;

const TIME =
  /^(\d{4,7})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/;

/** After so many years the calendar is the same again: PostgreSQL knows later ones than a Date. */
const CYCLE_YEARS = 400;
const CYCLE_MICROS = 146_097n * 86_400_000_000n;

/** Microseconds since 1970 of a date or time as PostgreSQL writes it (ISO); null: it is none. */
export function microsOf(text: string): bigint | null {
  if (text === 'infinity') return BEYOND;
  if (text === '-infinity') return -BEYOND - 1n;
  const found = TIME.exec(text);
  if (found === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', sign, ...offset] = found;
  const [hours = '0', minutes = '0', seconds = '0', bc] = offset;
  const date = new Date(0);
  const from = bc === undefined ? Number(year) : 1 - Number(year);
  date.setUTCFullYear(from % CYCLE_YEARS, Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const east = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  const millis = date.getTime() - (sign === '-' ? -east : east) * 1000;
  const micros = BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, '0'));
  const since1970 = micros + BigInt(Math.trunc(from / CYCLE_YEARS)) * CYCLE_MICROS;
  return since1970 < BEYOND ? since1970 : BEYOND - 1n;
}
