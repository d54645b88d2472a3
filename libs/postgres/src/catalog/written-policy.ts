import type { FallbackPolicy, FunctionPolicy, LeafPolicy, MergePolicy, RegisterPolicy } from '@meridian/core';
import { asLeafPolicy, mapPaths, type Misfit, pointerOf } from './map-paths.js';

/** A policy as a user names it; what its column's type adds (the order of its values) is not in it yet. */
export type WrittenPolicy =
  | Exclude<RegisterPolicy, { readonly kind: 'max' | 'min' }>
  | { readonly kind: 'max' }
  | { readonly kind: 'min' }
  | Exclude<MergePolicy, { readonly kind: 'text' }>
  | { readonly kind: 'text' }
  | FunctionPolicy
  | CounterPolicy;

export type CounterPolicy =
  | { readonly kind: 'counter' }
  /** A JSON number. `max`: asked for, and refused by name. */
  | { readonly kind: 'bounded-counter'; readonly min: number; readonly max?: number };

export const isCounter = (policy: WrittenPolicy): policy is CounterPolicy =>
  policy.kind === 'counter' || policy.kind === 'bounded-counter';

/** One that a table, a group, a whole row can have. */
export type WholePolicy = Extract<
  WrittenPolicy,
  { readonly kind: 'hlc' | 'lww' | 'first-write' | 'region-priority' | 'manual' | 'register' }
>;

const WHOLE: ReadonlySet<string> = new Set([
  'hlc',
  'lww',
  'first-write',
  'region-priority',
  'manual',
  'register',
] satisfies WholePolicy['kind'][]);

export const isWhole = (policy: WrittenPolicy): policy is WholePolicy => WHOLE.has(policy.kind);

/** Those that a name says all of. */
const BARE = ['hlc', 'first-write', 'manual', 'register', 'max', 'min', 'set', 'grow-set', 'text', 'counter'] as const;

export const WHOLE_POLICIES = `"hlc", "lww", {"policy": "lww", "column": a timestamp column}, "first-write", {"policy": "region-priority", "regions": ["us", "eu"]}, "manual", "register"`;
export const COLUMN_POLICIES = `${WHOLE_POLICIES}, "max", "min", "counter", {"policy": "bounded-counter", "min": 0}, "set", "grow-set", "flag", {"policy": "flag", "wins": "disable"}, "map", {"policy": "map", "paths": {"/stock": "counter"}}, "text", {"policy": "merge:a_name", "source": a JavaScript function, "fallback": "hlc"}`;

/** `"lww"` is `{"policy": "lww"}`; else why it is no policy. */
export function writtenPolicy(value: unknown): WrittenPolicy | Misfit | 'unknown' {
  const parts = typeof value === 'string' ? { policy: value } : isRecord(value) ? value : {};
  const { policy: kind, ...rest } = parts;
  if (typeof kind !== 'string') return 'unknown';
  if (kind.startsWith(MERGE)) return functionPolicy(kind.slice(MERGE.length), rest) ?? 'unknown';
  if (kind === 'map') return mapPolicy(rest);
  const bare = BARE.find((name) => name === kind);
  if (bare !== undefined) return Object.keys(rest).length === 0 ? { kind: bare } : 'unknown';
  return withParts(kind, rest) ?? 'unknown';
}

function withParts(kind: string, rest: Readonly<Record<string, unknown>>): WrittenPolicy | undefined {
  const only = (part: string): boolean => Object.keys(rest).every((key) => key === part);
  switch (kind) {
    case 'lww': {
      const column = rest['column'] ?? null;
      return only('column') && (column === null || typeof column === 'string') ? { kind, column } : undefined;
    }
    case 'region-priority': {
      const regions = rest['regions'];
      return only('regions') && isListOfRegions(regions) ? { kind, regions } : undefined;
    }
    case 'flag': {
      const wins = rest['wins'] ?? 'enable';
      return only('wins') && (wins === 'enable' || wins === 'disable') ? { kind, wins } : undefined;
    }
    case 'bounded-counter': {
      const { min = 0, max, ...others } = rest;
      if (Object.keys(others).length > 0 || !isNumber(min) || !(max === undefined || isNumber(max))) return undefined;
      return { kind, min, ...(max === undefined ? {} : { max }) };
    }
    default:
      return undefined;
  }
}

function mapPolicy({ paths, ...others }: Readonly<Record<string, unknown>>): WrittenPolicy | Misfit | 'unknown' {
  if (Object.keys(others).length > 0) return 'unknown';
  if (paths === undefined) return { kind: 'map' };
  const found = mapPaths(paths, (value) => {
    const policy = writtenPolicy(value);
    return typeof policy === 'string' || 'misfit' in policy ? null : asLeafPolicy(policy);
  });
  if ('misfit' in found) return found;
  return found.length === 0 ? { kind: 'map' } : { kind: 'map', paths: found };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const MERGE = 'merge:';

/** `{"policy": "merge:longest", "source": "export default (base, versions) => …", "fallback": "hlc"}` */
function functionPolicy(name: string, rest: Readonly<Record<string, unknown>>): FunctionPolicy | undefined {
  const { source, language = 'javascript', fallback: given = 'hlc', digest, ...others } = rest;
  const fallback = writtenPolicy(given);
  if (!/^\w{1,63}$/.test(name) || Object.keys(others).length > 0 || typeof source !== 'string') return undefined;
  if ((language !== 'javascript' && language !== 'sql') || typeof fallback === 'string' || 'misfit' in fallback)
    return undefined;
  if (!isFallback(fallback)) return undefined;
  if (digest === undefined) return { kind: 'merge', function: { name, language, source }, fallback };
  if (language !== 'sql' || typeof digest !== 'string') return undefined;
  return { kind: 'merge', function: { name, language, source, digest }, fallback };
}

const isFallback = (policy: WrittenPolicy): policy is FallbackPolicy =>
  isWhole(policy) && policy.kind !== 'lww' && policy.kind !== 'register';

const isListOfRegions = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  new Set(value).size === value.length &&
  value.every((r) => typeof r === 'string' && r !== '');

/** As JSON; what a name says all of is the name alone. */
export function policyValue(policy: WrittenPolicy | LeafPolicy): unknown {
  switch (policy.kind) {
    case 'lww':
      return policy.column === null ? 'lww' : { policy: 'lww', column: policy.column };
    case 'region-priority':
      return { policy: policy.kind, regions: policy.regions };
    case 'flag':
      return policy.wins === 'enable' ? 'flag' : { policy: 'flag', wins: policy.wins };
    case 'map': {
      if (policy.paths === undefined) return 'map';
      const paths = policy.paths.map((p) => [pointerOf(p.path), policyValue(p.policy)]);
      return { policy: 'map', paths: Object.fromEntries(paths) as object };
    }

    case 'bounded-counter':
      return { policy: policy.kind, min: policy.min };
    case 'merge': {
      const { name, ...written } = policy.function;
      return { policy: `${MERGE}${name}`, ...written, fallback: policyValue(policy.fallback) };
    }
    default:
      return policy.kind;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
