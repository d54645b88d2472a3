import { type Entry, compareWritten, covers } from '../../causality/coverage.js';
import { type Change, patchOf } from '../../change/change.js';
import type { RegionId } from '../../ids.js';

export const writesColumn = (column: string, entry: Change): boolean => Object.hasOwn(patchOf(entry), column);

/**
 * Of the changes that write one column, those among which some start: they, what one of them had not seen, what one of these had not
 * seen, and so on. What is left was seen by all of them, so that each was written on a text that has it. Of each origin they
 * are its last ones, for what a change has seen of an origin is what was written first.
 */
export function textMembers(start: readonly Entry[], writers: readonly Entry[]): readonly Entry[] {
  const lanes = lanesOf([...writers, ...start]);
  const open = lanes.map((lane) => lane.length);
  const found: Entry[] = [];
  const take = (place: number, from: number): void => {
    found.push(...lanes[place]!.slice(from, open[place]));
    if (from < open[place]!) open[place] = from;
  };
  for (const entry of start) {
    const place = lanes.findIndex((lane) => lane[0]!.origin === entry.origin);
    take(
      place,
      lanes[place]!.findIndex((e) => e.id === entry.id),
    );
  }
  for (let i = 0; i < found.length; i++) lanes.forEach((lane, place) => take(place, firstUnseen(found[i]!, lane)));
  return found;
}

/** By origin, in the order of writing, each once. */
export function lanesOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const lanes = new Map<RegionId, Map<number, Entry>>();
  for (const entry of entries) {
    const lane = lanes.get(entry.origin);
    if (lane === undefined) lanes.set(entry.origin, new Map([[entry.id, entry]]));
    else lane.set(entry.id, entry);
  }
  return [...lanes.values()].map((lane) => [...lane.values()].sort(compareWritten));
}

/** How many of an origin's changes the writer of this one had seen. */
export function firstUnseen(change: Entry, lane: readonly Entry[]): number {
  let [low, high] = [0, lane.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (covers(change, lane[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
