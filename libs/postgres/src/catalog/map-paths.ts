import type { LeafPolicy, MapPath } from '@meridian/core';

/** What is wrong with a policy that was understood, and how to write it. */
export interface Misfit {
  readonly misfit: string;
  readonly cure: string;
}

const PLAIN = ['hlc', 'first-write', 'manual', 'set', 'counter'] as const;
const TAKEN_WHOLE: ReadonlySet<string> = new Set(['set', 'counter'] satisfies LeafPolicy['kind'][]);

const LEAF_POLICIES = `"hlc", "first-write", {"policy": "region-priority", "regions": ["us", "eu"]}, "max", "min", "flag", {"policy": "flag", "wins": "disable"}, "manual", "set", "counter"`;

/** `{"/stock": "counter", "/profile/name": "first-write"}`, by JSON pointers; in an order of their own. */
export function mapPaths(
  paths: unknown,
  leafPolicy: (value: unknown) => LeafPolicy | null,
): readonly MapPath[] | Misfit {
  if (typeof paths !== 'object' || paths === null || Array.isArray(paths))
    return {
      misfit: '"paths" is no object',
      cure: 'write "paths": {"/stock": "counter", "/profile/name": "first-write"}',
    };
  const found: MapPath[] = [];
  for (const [pointer, value] of Object.entries(paths)) {
    const path = keysOf(pointer);
    if (path === null)
      return {
        misfit: `the path ${JSON.stringify(pointer)} is no JSON pointer to a key`,
        cure: 'write "/profile/name"; a "/" in a key is "~1", a "~" is "~0"',
      };
    const policy = leafPolicy(value);
    if (policy === null)
      return {
        misfit: `${pointer}: ${JSON.stringify(value)} is no policy of a path`,
        cure: `write one of ${LEAF_POLICIES}`,
      };
    found.push({ path, policy });
  }
  return underWhole(found) ?? found.sort((a, b) => (pointerOf(a.path) < pointerOf(b.path) ? -1 : 1));
}

function underWhole(paths: readonly MapPath[]): Misfit | null {
  for (const { path, policy } of paths) {
    const below = paths.find((p) => p.path.length > path.length && path.every((key, i) => p.path[i] === key));
    if (below !== undefined && TAKEN_WHOLE.has(policy.kind))
      return {
        misfit: `${pointerOf(below.path)} is part of ${pointerOf(path)}, which "${policy.kind}" takes as a whole`,
        cure: `leave ${pointerOf(below.path)} out, or give ${pointerOf(path)} a policy that takes one of the values`,
      };
  }
  return null;
}

/** RFC 6901. Null: it is none, or points at the document as a whole. */
function keysOf(pointer: string): string[] | null {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return null;
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export const pointerOf = (path: readonly string[]): string =>
  path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Of a written policy; null: none that one path can have. */
export function asLeafPolicy(policy: { readonly kind: string }): LeafPolicy | null {
  if (policy.kind === 'max' || policy.kind === 'min') return { kind: policy.kind, order: 'json' };
  if (policy.kind === 'region-priority' || policy.kind === 'flag') return policy as LeafPolicy;
  return PLAIN.some((kind) => kind === policy.kind) ? (policy as LeafPolicy) : null;
}
