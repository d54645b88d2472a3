import { printDecimal, scaleOf, unscaled } from '../change/decimal.js';
import type { RegionId } from '../ids.js';

/** What a region may still take from one bounded counter, as another region sees it. */
export interface Share {
  readonly region: RegionId;
  readonly amount: string;
  /** A write was refused there that needs as much; null: none. */
  readonly wanted: string | null;
}

export interface Giving {
  readonly to: RegionId;
  readonly amount: string;
}

/**
 * What a region gives of its share to others, by its own view; of every member a share. Only the richest gives, so that views that
 * differ a little do not send the same amount to and fro; the first by name of equally rich ones. As long as somebody waits for
 * more, that goes first, where what the others can spare is enough, and nobody gives what he waits for himself. Otherwise whoever
 * has less than half of an even share is brought up to one: half, so that it comes to rest. Whole units of the last digit that
 * any share has.
 */
export function givings(here: RegionId, shares: readonly Share[]): readonly Giving[] {
  const scale = Math.max(0, ...shares.map(({ amount }) => scaleOf(amount)));
  const wanting = shares.some(({ wanted }) => wanted !== null);
  const spare = new Map(
    shares.map((s) => [s.region, unscaled(s.amount, scale) - (s.wanted === null ? 0n : unscaledUp(s.wanted, scale))]),
  );
  const even = sumOf(spare.values()) / BigInt(shares.length);
  const gifts = wanting ? givenToWaiting(here, spare) : givenToPoor(here, spare, even);
  return gifts.map(([to, units]) => ({ to, amount: printDecimal(units, scale) }));
}

type Units = Map<RegionId, bigint>;
type Gift = readonly [to: RegionId, units: bigint];

function givenToWaiting(here: RegionId, spare: Units): Gift[] {
  const gifts: Gift[] = [];
  for (const [region, units] of [...spare]) {
    const rich = [...spare].filter(([other, has]) => other !== region && has > 0n);
    if (units >= 0n || sumOf(rich.map(([, has]) => has)) < -units || richest(rich) !== here) continue;
    gifts.push(give(spare, here, region, least(-units, spare.get(here)!)));
  }
  return gifts;
}

function givenToPoor(here: RegionId, spare: Units, even: bigint): Gift[] {
  const gifts: Gift[] = [];
  for (const [region, units] of [...spare]) {
    const more = spare.get(here)! - even;
    if (units * 2n >= even || more <= 0n || richest([...spare]) !== here) continue;
    gifts.push(give(spare, here, region, least(even - units, more)));
  }
  return gifts;
}

function give(spare: Units, from: RegionId, to: RegionId, units: bigint): Gift {
  spare.set(from, spare.get(from)! - units);
  spare.set(to, spare.get(to)! + units);
  return [to, units];
}

const sumOf = (units: Iterable<bigint>): bigint => [...units].reduce((sum, n) => sum + n, 0n);

const richest = (of: readonly (readonly [RegionId, bigint])[]): RegionId | undefined =>
  [...of].sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1))[0]?.[0];

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What is wanted may have more digits than any share: then one unit more. */
function unscaledUp(text: string, scale: number): bigint {
  const own = scaleOf(text);
  if (own <= scale) return unscaled(text, scale);
  const unit = 10n ** BigInt(own - scale);
  return (unscaled(text, own) + unit - 1n) / unit;
}
