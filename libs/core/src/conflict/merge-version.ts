import type { Change, Values } from '../change/change.js';
import type { MergeVersion } from '../ports/merge-functions.js';

/** A change as merge functions see it. */
export const mergeVersionOf = ({ origin, stamp, wall }: Change, values: Values): MergeVersion => ({
  origin,
  stamp: String(stamp),
  wall: wallText(wall),
  values,
});

const LAST_MILLIS = 8_640_000_000_000_000n;

/** ISO 8601 with microseconds; an lww column's `infinity` is beyond every calendar, and stays a number of microseconds. */
export function wallText(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const millis = (micros - rest) / 1000n;
  if (millis > LAST_MILLIS || millis < -LAST_MILLIS) return String(micros);
  return new Date(Number(millis)).toISOString().replace('Z', `${String(rest).padStart(3, '0')}Z`);
}
