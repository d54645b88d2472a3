import { type Entry, maximal } from '../causality/coverage.js';
import { beforeOf, patchOf, valueIn } from '../change/change.js';
import { arrayText, elementsOf } from './array-text.js';

/**
 * An observed-remove set, of which every element is an enable-wins flag among the uncovered changes that touch it: an update
 * touches what it adds and removes, an insert touches every element (Shapiro et al., A comprehensive study of CRDTs, 3.3.5;
 * the tags are the changes, and who has seen which the log knows). `grow`: an update that takes one away does not touch it.
 *
 * @param others the uncovered changes that write the column
 * @param present as the changes that `arriving` covers have left it
 * @returns the elements in the order of their text, for no region's order is another's
 */
export function mergeSet(
  column: string,
  grow: boolean,
  arriving: Entry,
  others: readonly Entry[],
  present: string | null,
): string | null {
  const all = [...others, arriving];
  const writes = new Map(all.map((e) => [e, columnWrite(column, e, grow)]));
  const elements = mergeElements(arriving, writes, elementsOf(present));
  const isNothing = all.every((e) => valueIn(patchOf(e), column) === null);
  return elements.length === 0 && isNothing ? null : arrayText(elements);
}

const columnWrite = (column: string, change: Entry, grow: boolean): SetWrite => {
  const [before, after] = [valueIn(beforeOf(change), column), valueIn(patchOf(change), column)];
  return new SetWrite(elementsOf(before), elementsOf(after), change.op === 'insert', grow);
};

/** `writes`: of the uncovered changes and of the arriving one. In the order of their text. */
export function mergeElements(
  arriving: Entry,
  writes: ReadonlyMap<Entry, SetWrite>,
  present: readonly string[],
): readonly string[] {
  const elements = new Set(present);
  const known = new Set([...elements, ...[...writes.values()].flatMap((w) => w.named)]);
  for (const element of [...known].filter((e) => writes.get(arriving)!.touches(e))) {
    const touching = [...writes].filter(([, w]) => w.touches(element)).map(([e]) => e);
    if (maximal(touching).some((e) => writes.get(e)!.adds(element))) elements.add(element);
    else elements.delete(element);
  }
  return [...elements].sort();
}

/** What one change did to the elements. */
export class SetWrite {
  private readonly before: ReadonlySet<string>;
  private readonly after: ReadonlySet<string>;

  constructor(
    before: readonly string[],
    after: readonly string[],
    private readonly isInsert: boolean,
    private readonly grow: boolean,
  ) {
    this.before = new Set(before);
    this.after = new Set(after);
  }

  get named(): readonly string[] {
    return [...this.before, ...this.after];
  }

  touches(element: string): boolean {
    if (this.isInsert) return true;
    return this.before.has(element) ? !this.grow && !this.after.has(element) : this.after.has(element);
  }

  adds(element: string): boolean {
    return this.after.has(element);
  }
}
