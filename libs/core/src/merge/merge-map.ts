import { type Entry, maximal } from '../causality/coverage.js';
import { isDecimal } from '../change/decimal.js';
import type { LeafPolicy } from '../policy/table-policy.js';
import { winner } from '../policy/rank.js';
import { documentOf, leavesOf } from './json-leaves.js';
import { isWholeLeaf, type MapPaths } from './map-paths.js';
import { idsAbove, MapWrite } from './map-write.js';
import { isOfKind, mergeWholeLeaf } from './merge-whole-leaf.js';
import { remembering } from '../remembering.js';

/** How one leaf was decided. */
export interface LeafVerdict {
  /** {@link pathOf} it is its keys. */
  readonly path: string;
  /** Null: none is named for it, so it went by stamp. */
  readonly policy: LeafPolicy | null;
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
 * A map of leaves, each a register of its own. A change writes the leaves that it sets or takes away, and where it
 * sets one, it takes away what cannot be beside it: the leaves below, and one that stands in its way above. An insert
 * takes away whatever it does not name, but not from those that name it beside: two inserts are united. Whether a leaf is there
 * is decided by stamp: as stamps grow along causality, two leaves that cannot be beside each other are never both there. Which of
 * the values written to it is there goes by its policy; and a counter or a set that is something stays, whatever stands above it.
 *
 * @param others the uncovered changes that write the column
 * @param present as the changes that `arriving` covers have left it
 * @param pathsAt the policies of an epoch, for a leaf goes by that of its latest version; which paths are whole never changes
 * @returns the document without objects that have no members: nobody knows whose they are
 */
export function mergeMap(
  column: string,
  arriving: Entry,
  others: readonly Entry[],
  present: string | null,
  pathsAt: (epoch: number) => MapPaths,
): MergedMap {
  const all = [...others, arriving];
  const { whole } = pathsAt(arriving.epoch);
  // Each of few texts several times: versions share their base, and one of them is what is there.
  const leavesIn = remembering((text: string | null) => leavesOf(text, whole));
  const above = remembering(idsAbove);
  const writes = new Map(all.map((e) => [e, new MapWrite(column, e, whole, leavesIn, above)]));
  const leaves = new Map(leavesIn(present));
  const known = new Set([...leaves.keys(), ...[...writes.values()].flatMap((w) => w.paths)]);
  const verdicts: LeafVerdict[] = [];
  for (const path of [...known].sort()) {
    if (!writes.get(arriving)!.touches(path)) continue;
    const { leaf, verdict } = decideLeaf(column, path, arriving, writes, leaves.get(path) ?? null, pathsAt);
    if (leaf === null) leaves.delete(path);
    else leaves.set(path, leaf);
    verdicts.push(verdict);
  }
  const standing = [...leaves.keys()].filter((path) => whole.has(path)).flatMap(idsAbove);
  for (const path of standing) leaves.delete(path);
  const isNothing = [...writes.values()].every((w) => w.isNull);
  return {
    value: leaves.size === 0 && isNothing ? null : documentOf(leaves),
    verdicts: verdicts.map((verdict) => (standing.includes(verdict.path) ? givenWay(verdict, writes) : verdict)),
  };
}

type Writes = ReadonlyMap<Entry, MapWrite>;

function decideLeaf(
  column: string,
  path: string,
  arriving: Entry,
  writes: Writes,
  present: string | null,
  pathsAt: (epoch: number) => MapPaths,
): { readonly leaf: string | null; readonly verdict: LeafVerdict } {
  const wrote = (e: Entry): string | null => writes.get(e)!.at(path);
  const versions = maximal([...writes.keys()].filter((e) => writes.get(e)!.touches(path)));
  const policy = pathsAt(Math.max(...versions.map((e) => e.epoch))).of(path);
  const meant = versions.filter((e) => writes.get(e)!.means(path));
  const latest = winner({ kind: 'hlc' }, [column], meant.length > 0 ? meant : versions);
  const names = (e: Entry): boolean => writes.get(e)!.names(path);
  const verdict = { path, policy, versions, wrote };
  if (policy !== null && isWholeLeaf(policy)) {
    const contested = { path, arriving, writes, present, latest: writes.get(latest)!.change(path).after };
    const leaf = versions.length === 1 ? contested.latest : mergeWholeLeaf(policy, contested);
    const losers = versions.filter(
      (e) => names(e) && wrote(e) !== null && wrote(e) !== leaf && !isOfKind(policy, wrote(e)),
    );
    const merged = versions.filter((e) => isOfKind(policy, wrote(e)));
    const won = losers.includes(latest)
      ? winner({ kind: 'hlc' }, [column], merged.length > 0 ? merged : [latest])
      : latest;
    return { leaf, verdict: { ...verdict, winner: won, losers: losers.filter((e) => e !== won) } };
  }
  const set = versions.filter((e) => names(e) && wrote(e) !== null);
  const won =
    wrote(latest) === null ? latest : winner(policy ?? { kind: 'hlc' }, [column], set, comparedBy(policy, wrote));
  const losers = versions.filter((e) => names(e) && wrote(e) !== wrote(won));
  return { leaf: wrote(won), verdict: { ...verdict, winner: won, losers } };
}

/** What is no number has no place among numbers. */
const comparedBy = (policy: LeafPolicy | null, wrote: (e: Entry) => string | null) => (e: Entry) => {
  const leaf = wrote(e);
  const byNumber = policy?.kind === 'max' || policy?.kind === 'min';
  return byNumber && (leaf === null || !isDecimal(leaf)) ? null : leaf;
};

/** The leaf stood in the way of a counter or set below it. */
function givenWay(verdict: LeafVerdict, writes: Writes): LeafVerdict {
  const losers = verdict.versions.filter((e) => verdict.wrote(e) !== null);
  const others = verdict.versions.filter((e) => !losers.includes(e) && writes.get(e)!.means(verdict.path));
  if (losers.length === 0 || others.length === 0) return verdict;
  return { ...verdict, losers, winner: winner({ kind: 'hlc' }, [], others) };
}
