import { type Entry, maximal } from '../causality/coverage.js';
import { patchOf } from '../change/change.js';
import type { RegionId, TableName } from '../ids.js';
import { merges, type TableSpec } from '../policy/table-policy.js';
import type { Resolution } from './resolve.js';

/** Concurrent versions that all went into one value: nobody has lost, so no record tells of it. */
export interface Merge {
  readonly table: TableName;
  readonly columns: readonly string[];
  readonly policy: string;
}

/** What may come to be one: it has, unless the resolution names a loser. */
export interface MergeTried extends Merge {
  /** The regions whose versions met. */
  readonly origins: ReadonlySet<RegionId>;
}

/** The merged columns and counters for which an arriving change met others that it had not seen. */
export function mergesTried(spec: TableSpec, arriving: Entry, uncovered: readonly Entry[]): MergeTried[] {
  const counters = spec.counters.map((column) => ({ columns: [column], policy: 'counter' }));
  const registers = spec.registers.flatMap(({ columns, policy }) => {
    if (policy.kind === 'merge') return [{ columns, policy: `merge:${policy.function.name}` }];
    return merges(policy) ? [{ columns, policy: policy.kind }] : [];
  });
  return [...counters, ...registers].flatMap(({ columns, policy }) => {
    const writers = [...uncovered, arriving].filter((e) => writes(e, columns));
    const versions = writers.includes(arriving) ? maximal(writers) : [];
    if (versions.length < 2) return [];
    return [{ table: spec.name, columns, policy, origins: new Set(versions.map((e) => e.origin)) }];
  });
}

/** A merge counts in the region whose name comes first among those whose versions met: added up over the regions, it is one. */
export const countsIn = ({ origins }: MergeTried, region: RegionId): boolean =>
  region === [...origins].reduce((first, origin) => (origin < first ? origin : first));

export const lostNothing = ({ columns }: Merge, { verdicts }: Resolution): boolean =>
  verdicts.every((v) => v.losers.length === 0 || !v.columns.some((c) => columns.includes(c)));

const writes = (e: Entry, columns: readonly string[]): boolean =>
  e.op !== 'delete' && columns.some((c) => Object.hasOwn(patchOf(e), c));
