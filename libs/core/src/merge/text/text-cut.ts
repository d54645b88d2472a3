import type { Entry } from '../../causality/coverage.js';
import { type Vector, at, origins, withSeq } from '../../vector.js';
import { seq } from '../../ids.js';
import { textMembers } from './text-members.js';

/** What a change had seen of other regions than its own, no more than `floor`; of a local one in no tick yet only its races are known. */
export const loweredBySeen = (floor: Vector, { origin, deps, unseen }: Entry): Vector =>
  origins({ ...floor, ...deps }).reduce((lowered, o) => {
    if (o === origin) return lowered;
    const bySeen = deps === null ? at(floor, o) : at(deps, o);
    const seen = unseen !== null && Object.hasOwn(unseen, o) ? Math.min(bySeen, at(unseen, o) - 1) : bySeen;
    return seen < at(lowered, o) ? withSeq(lowered, o, seq(seen)) : lowered;
  }, floor);

/**
 * How far the log may be forgotten where texts are merged: a change above the stable cut may be one that a later one is merged
 * with, and with it what it had not seen, what that had not seen, and so on, which may be below the cut. Most texts are at rest,
 * or their last change had seen all others: then it is the cut itself.
 *
 * @param texts of each the entries that write it
 */
export function cutForTexts(cut: Vector, texts: readonly (readonly Entry[])[]): Vector {
  return texts.reduce((lowered, writers) => {
    const above = writers.filter((e) => !isBelow(cut, e));
    const members = textMembers(above, writers);
    return members.reduce(loweredBySeen, members.reduce(without, lowered));
  }, cut);
}

const isBelow = (cut: Vector, { origin, seq: own }: Entry): boolean => own !== null && own <= at(cut, origin);

const without = (cut: Vector, member: Entry): Vector =>
  isBelow(cut, member) ? withSeq(cut, member.origin, seq(member.seq! - 1)) : cut;
