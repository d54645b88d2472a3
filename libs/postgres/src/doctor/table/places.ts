import { numberingOf, type RegionId } from '@meridian/core';
import type { Examined } from './examined.js';

/** In the order of their places among the numbers, as an enrolment deals them out. */
export const placesOf = ({ enrolled, regions }: Examined): readonly RegionId[] =>
  numberingOf(regions, enrolled?.numbering ?? null).regions;
