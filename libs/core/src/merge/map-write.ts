import type { Entry } from '../causality/coverage.js';
import { beforeOf, patchOf, valueIn } from '../change/change.js';
import { pathId, pathOf } from './json-leaves.js';

/** What one change did to the leaves of a map. */
export class MapWrite {
  /** The leaf's new text, or null where the change took it away. */
  private readonly leaves = new Map<string, string | null>();
  /** Of the leaves that it set, what they are part of; and of counters and sets, also where it took them away. */
  private readonly above = new Set<string>();
  private readonly old: ReadonlyMap<string, string>;
  readonly isInsert: boolean;
  readonly isNull: boolean;

  /** `leavesIn`, `idsAbove`: as the functions of these names, which may remember what they were asked. */
  constructor(
    column: string,
    change: Entry,
    whole: ReadonlySet<string>,
    leavesIn: (text: string | null) => ReadonlyMap<string, string>,
    private readonly idsAbove: (path: string) => readonly string[],
  ) {
    const text = valueIn(patchOf(change), column);
    this.isInsert = change.op === 'insert';
    this.isNull = text === null;
    this.old = leavesIn(valueIn(beforeOf(change), column));
    const after = leavesIn(text);
    for (const path of this.old.keys()) if (!after.has(path)) this.leaves.set(path, null);
    for (const [path, leaf] of after) if (this.old.get(path) !== leaf) this.leaves.set(path, leaf);
    for (const [path, leaf] of this.leaves)
      if (leaf !== null || whole.has(path)) for (const id of idsAbove(path)) this.above.add(id);
  }

  get paths(): readonly string[] {
    return [...this.leaves.keys()];
  }

  names(path: string): boolean {
    return this.leaves.has(path);
  }

  /** By what it set, and not only by being an insert, which has nothing that it does not name. */
  means(path: string): boolean {
    return (
      this.leaves.has(path) ||
      this.above.has(path) ||
      this.idsAbove(path).some((id) => (this.leaves.get(id) ?? null) !== null)
    );
  }

  touches(path: string): boolean {
    return this.isInsert || this.means(path);
  }

  /** What it wrote there; null: it took it away. */
  at(path: string): string | null {
    return this.leaves.get(path) ?? null;
  }

  /** What was there before it, and what it left there. */
  change(path: string): { readonly before: string | null; readonly after: string | null } {
    const before = this.old.get(path) ?? null;
    return { before, after: this.leaves.has(path) ? this.at(path) : before };
  }
}

/** Of everything that goes on to this path. */
export function idsAbove(path: string): string[] {
  const keys = pathOf(path);
  return keys.map((_key, i) => pathId(keys.slice(0, i)));
}
