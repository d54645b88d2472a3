/**
 * A hybrid logical clock value (Kulkarni et al., "Logical Physical Clocks", 2014): 48 bits of milliseconds since 1970,
 * 16 bits of counter. Exceeds 2^53, hence bigint. Stamps only rank concurrent versions; convergence never depends on them.
 */
export type Stamp = bigint & { readonly __brand: 'Stamp' };

const COUNTER_BITS = 16n;

export const stamp = (value: bigint): Stamp => value as Stamp;
export const stampOfMillis = (millis: number): Stamp => (BigInt(millis) << COUNTER_BITS) as Stamp;
export const millisOf = (value: Stamp): number => Number(value >> COUNTER_BITS);

/** The next stamp of a region: never below its own last or the highest applied, nor below the wall clock. */
export const nextStamp = (nowMillis: number, last: Stamp, highestApplied: Stamp): Stamp => {
  const wall = stampOfMillis(nowMillis);
  const floor = last > highestApplied ? last : highestApplied;
  return (wall > floor ? wall : floor + 1n) as Stamp;
};
