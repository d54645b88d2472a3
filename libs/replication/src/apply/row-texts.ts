import {
  type DecidedText,
  type Entry,
  type TextPolicy,
  decideText,
  patchOf,
  textMembers,
  writesColumn,
} from '@meridian/core';

/**
 * Texts of one row that a batch writes beside others. Each is merged once, when the last change of the batch has been taken: merging
 * makes all again that was written beside one another, and what came before goes into it.
 */
export class RowTexts {
  /** By column, its last writer, where that had not seen all the others. */
  private readonly contended = new Map<string, Entry>();

  constructor(private readonly texts: ReadonlyMap<string, TextPolicy>) {}

  /** `uncovered`: what the writer of this change had not seen of the row. */
  note(change: Entry, uncovered: readonly Entry[]): void {
    if (this.texts.size === 0) return;
    const written = patchOf(change);
    for (const column of this.texts.keys()) {
      if (!Object.hasOwn(written, column)) continue;
      if (uncovered.some((e) => writesColumn(column, e))) this.contended.set(column, change);
      else this.contended.delete(column);
    }
  }

  /** `entries`: of the row, as far back as any of these texts goes. */
  decide(entries: readonly Entry[]): readonly DecidedText[] {
    return [...this.contended].map(([column, { origin, id }]) => {
      const writers = entries.filter((e) => writesColumn(column, e));
      const last = writers.filter((e) => e.origin === origin && e.id === id);
      return decideText(column, this.texts.get(column)!, textMembers(last, writers));
    });
  }
}
