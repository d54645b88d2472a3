import type { LeafPolicy, MapPath } from '../policy/table-policy.js';
import { type Path, pathId, pathOf } from './json-leaves.js';

/** Which policy decides a leaf of a map: that of the nearest path that it is at or below, or else its stamp. */
export class MapPaths {
  private readonly policies: ReadonlyMap<string, LeafPolicy>;
  /** Leaves whatever they hold: a counter or a set is not made of leaves of its own. */
  readonly whole: ReadonlySet<string>;

  constructor(paths: readonly MapPath[] = []) {
    this.policies = new Map(paths.map(({ path, policy }) => [pathId(path), policy]));
    this.whole = new Set(paths.filter(({ policy }) => isWholeLeaf(policy)).map(({ path }) => pathId(path)));
  }

  /** Null: none is named for it. */
  of(leaf: string): LeafPolicy | null {
    for (let path: Path = pathOf(leaf); ; path = path.slice(0, -1)) {
      const policy = this.policies.get(pathId(path));
      if (policy !== undefined) return policy;
      if (path.length === 0) return null;
    }
  }
}

export type WholeLeafPolicy = Extract<LeafPolicy, { readonly kind: 'counter' | 'set' }>;

export const isWholeLeaf = (policy: LeafPolicy): policy is WholeLeafPolicy =>
  policy.kind === 'counter' || policy.kind === 'set';
