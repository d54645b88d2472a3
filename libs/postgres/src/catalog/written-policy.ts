import type { FallbackPolicy, FunctionPolicy, MergePolicy, RegisterPolicy } from '@meridian/core';

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
  { readonly kind: 'hlc' | 'lww' | 'first-write' | 'region-priority' | 'manual' }
>;

const WHOLE: ReadonlySet<string> = new Set([
  'hlc',
  'lww',
  'first-write',
  'region-priority',
  'manual',
] satisfies WholePolicy['kind'][]);

export const isWhole = (policy: WrittenPolicy): policy is WholePolicy => WHOLE.has(policy.kind);

/** Those that a name says all of. */
const BARE = ['hlc', 'first-write', 'manual', 'max', 'min', 'set', 'grow-set', 'map', 'text', 'counter'] as const;

/** Named by the design, and not built yet. */
const LATER = ['register'];

export const WHOLE_POLICIES = `"hlc", "lww", {"policy": "lww", "column": a timestamp column}, "first-write", {"policy": "region-priority", "regions": ["us", "eu"]}, "manual"`;
export const COLUMN_POLICIES = `${WHOLE_POLICIES}, "max", "min", "counter", {"policy": "bounded-counter", "min": 0}, "set", "grow-set", "flag", {"policy": "flag", "wins": "disable"}, "map", "text", {"policy": "merge:a_name", "source": a JavaScript function, "fallback": "hlc"}`;

/** `"lww"` is `{"policy": "lww"}`; a word: why it is no policy. */
export function writtenPolicy(value: unknown): WrittenPolicy | 'unknown' | 'later' {
  const parts = typeof value === 'string' ? { policy: value } : isRecord(value) ? value : {};
  const { policy: kind, ...rest } = parts;
  if (typeof kind !== 'string') return 'unknown';
  if (LATER.includes(kind)) return 'later';
  if (kind.startsWith(MERGE)) return functionPolicy(kind.slice(MERGE.length), rest) ?? 'unknown';
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

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const MERGE = 'merge:';

/** `{"policy": "merge:longest", "source": "export default (base, versions) => …", "fallback": "hlc"}` */
function functionPolicy(name: string, rest: Readonly<Record<string, unknown>>): FunctionPolicy | undefined {
  const { source, language = 'javascript', fallback: given = 'hlc', digest, ...others } = rest;
  const fallback = writtenPolicy(given);
  if (!/^\w{1,63}$/.test(name) || Object.keys(others).length > 0 || typeof source !== 'string') return undefined;
  if ((language !== 'javascript' && language !== 'sql') || typeof fallback === 'string') return undefined;
  if (!isFallback(fallback)) return undefined;
  if (digest === undefined) return { kind: 'merge', function: { name, language, source }, fallback };
  if (language !== 'sql' || typeof digest !== 'string') return undefined;
  return { kind: 'merge', function: { name, language, source, digest }, fallback };
}

const isFallback = (policy: WrittenPolicy): policy is FallbackPolicy => isWhole(policy) && policy.kind !== 'lww';

const isListOfRegions = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  new Set(value).size === value.length &&
  value.every((r) => typeof r === 'string' && r !== '');

/** As JSON; what a name says all of is the name alone. */
export function policyValue(policy: WrittenPolicy): unknown {
  switch (policy.kind) {
    case 'lww':
      return policy.column === null ? 'lww' : { policy: 'lww', column: policy.column };
    case 'region-priority':
      return { policy: policy.kind, regions: policy.regions };
    case 'flag':
      return policy.wins === 'enable' ? 'flag' : { policy: 'flag', wins: policy.wins };
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
