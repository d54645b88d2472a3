import { type Entry, maximal } from '../causality/coverage.js';
import { beforeOf, patchOf, valueIn } from '../change/change.js';
import { winner } from '../policy/rank.js';
import { remembering } from '../remembering.js';
import { documentOf, leavesOf, pathId, pathOf } from './json-leaves.js';

/** How one leaf was decided. */
export interface LeafVerdict {
  /** {@link pathOf} it is its keys. */
  readonly path: string;
  /** Those that wrote to it or to what it would be part of, in no order. */
  readonly versions: readonly Entry[];
  readonly winner: Entry;
  readonly losers: readonly Entry[];
  /** What a version wrote there; null: it took it away. */
  readonly wrote: (version: Entry) => string | null;
}

export interface MergedMap {
  readonly value: string | null;
  readonly verdicts: readonly LeafVerdict[];
}

/**
 * A map of leaves, of which every one is a register by stamp. A change writes the leaves that it sets or takes away, and where it
 * sets one, it takes away what cannot be beside it: the leaves below, and one that stands in its way above. An insert
 * takes away whatever it does not name, but not from those that name it beside: two inserts are united. As stamps grow along
 * causality, two leaves that cannot be beside each other are never both there.
 *
 * @param others the uncovered changes that write the column
 * @param present as the changes that `arriving` covers have left it
 * @returns the document without objects that have no members: nobody knows whose they are
 */
export function mergeMap(column: string, arriving: Entry, others: readonly Entry[], present: string | null): MergedMap {
  const all = [...others, arriving];
  // Each of few texts several times: versions share their base, and one of them is what is there.
  const leavesIn = remembering(leavesOf);
  const above = remembering(idsAbove);
  const writes = new Map(all.map((e) => [e, new MapWrite(column, e, leavesIn, above)]));
  const leaves = new Map(leavesIn(present));
  const known = new Set([...leaves.keys(), ...[...writes.values()].flatMap((w) => w.paths)]);
  const verdicts: LeafVerdict[] = [];
  for (const path of [...known].sort()) {
    if (!writes.get(arriving)!.touches(path)) continue;
    const wrote = (e: Entry): string | null => writes.get(e)!.at(path);
    const versions = maximal(all.filter((e) => writes.get(e)!.touches(path)));
    const meant = versions.filter((e) => writes.get(e)!.means(path));
    const won = winner({ kind: 'hlc' }, [column], meant.length > 0 ? meant : versions);
    const leaf = wrote(won);
    if (leaf === null) leaves.delete(path);
    else leaves.set(path, leaf);
    const losers = versions.filter((e) => writes.get(e)!.names(path) && wrote(e) !== leaf);
    verdicts.push({ path, versions, winner: won, losers, wrote });
  }
  const isNothing = [...writes.values()].every((w) => w.isNull);
  return { value: leaves.size === 0 && isNothing ? null : documentOf(leaves), verdicts };
}

/** What one change did to the leaves. */
class MapWrite {
  /** The leaf's new text, or null where the change took it away. */
  private readonly leaves = new Map<string, string | null>();
  /** Of the leaves that it set, what they are part of. */
  private readonly above = new Set<string>();
  private readonly isInsert: boolean;
  readonly isNull: boolean;

  constructor(
    column: string,
    change: Entry,
    leavesIn: typeof leavesOf,
    private readonly idsAbove: (path: string) => readonly string[],
  ) {
    const text = valueIn(patchOf(change), column);
    const [before, after] = [leavesIn(valueIn(beforeOf(change), column)), leavesIn(text)];
    this.isInsert = change.op === 'insert';
    this.isNull = text === null;
    for (const path of before.keys()) if (!after.has(path)) this.leaves.set(path, null);
    for (const [path, leaf] of after) if (before.get(path) !== leaf) this.leaves.set(path, leaf);
    for (const [path, leaf] of this.leaves) if (leaf !== null) for (const id of idsAbove(path)) this.above.add(id);
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
}

/** Of everything that goes on to this path. */
function idsAbove(path: string): string[] {
  const keys = pathOf(path);
  return keys.map((_key, i) => pathId(keys.slice(0, i)));
}
