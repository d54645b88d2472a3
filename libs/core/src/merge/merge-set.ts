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
  const writes = new Map([...others, arriving].map((e) => [e, new SetWrite(column, e, grow)]));
  const elements = new Set(elementsOf(present));
  const touched = [...elements, ...[...writes.values()].flatMap((w) => w.named)];
  for (const element of new Set(touched.filter((e) => writes.get(arriving)!.touches(e)))) {
    const touching = [...writes].filter(([, w]) => w.touches(element)).map(([e]) => e);
    if (maximal(touching).some((e) => writes.get(e)!.adds(element))) elements.add(element);
    else elements.delete(element);
  }
  const isNothing = [...writes.values()].every((w) => w.isNull);
  return elements.size === 0 && isNothing ? null : arrayText([...elements].sort());
}

/** What one change did to the elements. */
class SetWrite {
  private readonly before: ReadonlySet<string>;
  private readonly after: ReadonlySet<string>;
  private readonly isInsert: boolean;
  readonly isNull: boolean;

  constructor(
    column: string,
    change: Entry,
    private readonly grow: boolean,
  ) {
    const after = valueIn(patchOf(change), column);
    this.isInsert = change.op === 'insert';
    this.before = new Set(elementsOf(valueIn(beforeOf(change), column)));
    this.after = new Set(elementsOf(after));
    this.isNull = after === null;
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
