import { type Entry, covers } from '../causality/coverage.js';
import { addDecimals, isDecimal, negateDecimal, plainDecimal } from '../change/decimal.js';
import { jsonElements } from './json-leaves.js';
import type { WholeLeafPolicy } from './map-paths.js';
import type { MapWrite } from './map-write.js';
import { mergeElements, SetWrite } from './merge-set.js';

/** A leaf that several regions wrote, and all that is known of it. */
export interface ContestedLeaf {
  readonly path: string;
  readonly arriving: Entry;
  /** All that write the map and are not covered by `arriving`, and itself. */
  readonly writes: ReadonlyMap<Entry, MapWrite>;
  /** As the changes that `arriving` covers, and the others, have left it. */
  readonly present: string | null;
  /** What the latest of the leaf's versions wrote there. */
  readonly latest: string | null;
}

/** Is it of the kind that the policy merges? */
export const isOfKind = ({ kind }: WholeLeafPolicy, leaf: string | null): leaf is string =>
  leaf !== null && (kind === 'counter' ? isDecimal(leaf) : jsonElements(leaf) !== null);

/**
 * Whatever is there that is no number counts as 0, and what is no array as no elements: so what each change did adds up in any
 * order. Where it adds up to nothing, and the latest write left nothing of its kind, the leaf is as that left it.
 */
export function mergeWholeLeaf(policy: WholeLeafPolicy, leaf: ContestedLeaf): string | null {
  const { value, isNothing } = policy.kind === 'counter' ? sumOf(leaf) : elementsOf(leaf);
  return isNothing && !isOfKind(policy, leaf.latest) ? leaf.latest : value;
}

interface Merged {
  readonly value: string;
  readonly isNothing: boolean;
}

/** As of a counter column: an update adds its difference; an insert starts anew, and keeps what it does not cover. */
function sumOf({ path, arriving, writes, present }: ContestedLeaf): Merged {
  const delta = (e: Entry): string => {
    const { before, after } = writes.get(e)!.change(path);
    return addDecimals(numberIn(after), negateDecimal(numberIn(before)));
  };
  const sum =
    arriving.op === 'insert'
      ? keptBeside(arriving, [...writes.keys()]).map(delta)
      : [numberIn(present), delta(arriving)];
  const value = plainDecimal(sum.reduce(addDecimals, '0'));
  return { value, isNothing: value === '0' };
}

function keptBeside(insert: Entry, all: readonly Entry[]): readonly Entry[] {
  const inserts = all.filter((e) => e.op === 'insert');
  return all.filter((e) => e === insert || !inserts.some((i) => i !== e && covers(i, e)));
}

const numberIn = (leaf: string | null): string => (leaf !== null && isDecimal(leaf) ? leaf : '0');

function elementsOf({ path, arriving, writes, present }: ContestedLeaf): Merged {
  const sets = [...writes].map(([e, write]): [Entry, SetWrite] => {
    const { before, after } = write.change(path);
    return [e, new SetWrite(jsonElements(before) ?? [], jsonElements(after) ?? [], write.isInsert, false)];
  });
  const elements = mergeElements(arriving, new Map(sets), jsonElements(present) ?? []);
  return { value: `[${elements.join(', ')}]`, isNothing: elements.length === 0 };
}
