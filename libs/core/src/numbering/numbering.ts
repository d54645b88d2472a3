import type { RegionId } from '../ids.js';

/**
 * How the regions share the numbers that a sequence gives a key: the region at place i of the list gives those that are i
 * modulo the step. A region that joins is appended, so that nobody's place changes.
 */
export interface Numbering {
  readonly step: number;
  readonly regions: readonly RegionId[];
}

/** Numbers that a sequence will give: `next`, and on by `increment` up to `max`. Decimal texts: bigint exceeds JSON's numbers. */
export interface Numbers {
  readonly next: string;
  readonly increment: string;
  readonly max: string;
}

/** Room for as many regions again, and never less than this. */
const SMALLEST_STEP = 16;

/** `kept`: what an earlier enrolment agreed on. */
export function numberingOf(regions: readonly RegionId[], kept: Numbering | null = null): Numbering {
  const known = kept?.regions ?? [];
  const all = [...known, ...[...regions].sort().filter((r) => !known.includes(r))];
  if (kept !== null && all.length <= kept.step) return { step: kept.step, regions: all };
  let step = SMALLEST_STEP;
  while (step < 2 * all.length) step *= 2;
  return { step, regions: all };
}

/** The region's first number above `floor`. */
export function numberAbove({ step, regions }: Numbering, region: RegionId, floor: bigint): bigint {
  const place = regions.indexOf(region);
  if (place < 0) throw new RangeError(`${region} is none of the regions that share numbers: ${regions.join(', ')}`);
  return floor + 1n + modulo(BigInt(place) - (floor + 1n), BigInt(step));
}

/** Does a sequence give this region's numbers only? */
export const keepsTo = (numbering: Numbering, region: RegionId, { next, increment }: Numbers): boolean =>
  BigInt(increment) === BigInt(numbering.step) && numberAbove(numbering, region, BigInt(next) - 1n) === BigInt(next);

/** Can two sequences never give the same number? Not when their steps never meet, or the one ends before the other begins. */
export function areDisjoint(a: Numbers, b: Numbers): boolean {
  const [nextA, nextB] = [BigInt(a.next), BigInt(b.next)];
  if (BigInt(a.max) < nextB || BigInt(b.max) < nextA) return true;
  return modulo(nextA - nextB, greatestCommonDivisor(BigInt(a.increment), BigInt(b.increment))) !== 0n;
}

/** Never negative, unlike `%`. */
const modulo = (n: bigint, by: bigint): bigint => ((n % by) + by) % by;

const greatestCommonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestCommonDivisor(b, a % b));
