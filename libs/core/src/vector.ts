import type { RegionId, Seq } from './ids.js';

/** Origin → seq. What is not named is 0. Plain and JSON-able; read through {@link at}, for a region may be called `constructor`. */
export type Vector = { readonly [origin: string]: Seq };

export const EMPTY_VECTOR: Vector = Object.freeze({});

export const at = (vector: Vector, origin: RegionId): Seq =>
  (Object.hasOwn(vector, origin) ? vector[origin] : 0) as Seq;

export const origins = (vector: Vector): RegionId[] => Object.keys(vector) as RegionId[];

export const withSeq = (vector: Vector, origin: RegionId, value: Seq): Vector => ({ ...vector, [origin]: value });

/** Does `a` hold everything that `b` stands for? */
export const reaches = (a: Vector, b: Vector): boolean => origins(b).every((o) => at(a, o) >= at(b, o));

export const equalVectors = (a: Vector, b: Vector): boolean => reaches(a, b) && reaches(b, a);

export const mergeVectors = (a: Vector, b: Vector): Vector =>
  origins(b).reduce<Vector>((sum, o) => (at(b, o) > at(sum, o) ? withSeq(sum, o, at(b, o)) : sum), a);

/** Per origin the least of all; an origin that one of them does not name counts as 0. */
export const minVector = (vectors: readonly Vector[]): Vector => {
  const [first, ...rest] = vectors;
  if (first === undefined) return EMPTY_VECTOR;
  return Object.fromEntries(
    origins(first).map((o) => [o, rest.reduce<number>((least, v) => Math.min(least, at(v, o)), at(first, o)) as Seq]),
  );
};
