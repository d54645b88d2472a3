import type { RegionId } from '../ids.js';

/** How far the clock of another region is ahead of this one's, in milliseconds; null: not known. */
export type ClockOffsets = (origin: RegionId) => number | null;

export const UNKNOWN_OFFSETS: ClockOffsets = () => null;
