import type { RegionId } from '../ids.js';
import { type Vector, minVector } from '../vector.js';

/**
 * Per origin the last seq that every region is known to have: the minimum over the deps of the last applied tick of each, the
 * own applied vector included. Nothing concurrent with a change at or below it can arrive any more (design 5).
 */
export const stableCut = (members: readonly RegionId[], lastDeps: ReadonlyMap<RegionId, Vector>): Vector =>
  minVector(members.map((region) => lastDeps.get(region) ?? {}));
