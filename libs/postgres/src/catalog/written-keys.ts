import { PLACEHOLDERS, placeholdersOf } from '@meridian/core';
import { type EnrolmentProblem, problem } from './refusal.js';

/** What becomes of a row that lost a unique value, as a user writes it. `column`: which one of the key's changes; null: the only one that can. */
export type WrittenUnique =
  | { readonly kind: 'park' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'null'; readonly column: string | null }
  | { readonly kind: 'rename'; readonly template: string; readonly column: string | null };

export type WrittenForeign = 'restore' | 'park' | 'null' | 'cascade';

/** By the constraints' names; `all`: of those that are not named. */
export interface ByKey<T> {
  readonly all: T | null;
  readonly named: ReadonlyMap<string, T>;
}

export const policyOfKey = <T>({ all, named }: ByKey<T>, name: string): T | null => named.get(name) ?? all;

const FOREIGN: readonly string[] = ['restore', 'park', 'null', 'cascade'] satisfies WrittenForeign[];
const UNIQUE_POLICIES = `"park", "null", "delete" or {"policy": "rename", "template": "{value} ({region})"}`;
const UNIQUE_CURE = `write "unique": {"customers_email_key": ${UNIQUE_POLICIES}}, or one of them for all unique keys`;
const FOREIGN_CURE = `write "foreignKeys": {"items_order_id_fkey": "restore", "park", "null" or "cascade"}, or one of them for all foreign keys`;

export const uniquePolicies = (value: unknown, problems: EnrolmentProblem[]): ByKey<WrittenUnique> =>
  byKey(value, uniqueOf, (shown) => problems.push(problem('bad_policy', `"unique": ${shown}`, UNIQUE_CURE)));

export const foreignPolicies = (value: unknown, problems: EnrolmentProblem[]): ByKey<WrittenForeign> =>
  byKey(value, foreignOf, (shown) => problems.push(problem('bad_policy', `"foreignKeys": ${shown}`, FOREIGN_CURE)));

/** An object whose "policy" is a text is one policy for all keys. */
function byKey<T>(
  value: unknown,
  parse: (value: unknown) => T | Unparsed,
  bad: (message: string) => unknown,
): ByKey<T> {
  const named = new Map<string, T>();
  if (value === undefined) return { all: null, named };
  if (typeof value === 'string' || (isRecord(value) && typeof value['policy'] === 'string')) {
    const all = parse(value);
    if (!isProblem(all)) return { all, named };
    bad(all.problem);
    return { all: null, named };
  }
  if (!isRecord(value)) bad(`${JSON.stringify(value)} is no policy`);
  else
    for (const [name, given] of Object.entries(value)) {
      const policy = parse(given);
      if (isProblem(policy)) bad(`"${name}": ${policy.problem}`);
      else named.set(name, policy);
    }
  return { all: null, named };
}

interface Unparsed {
  readonly problem: string;
}
const isProblem = (parsed: unknown): parsed is Unparsed => isRecord(parsed) && typeof parsed['problem'] === 'string';

function foreignOf(value: unknown): WrittenForeign | Unparsed {
  const kind = isRecord(value) && Object.keys(value).length === 1 ? value['policy'] : value;
  return FOREIGN.includes(kind as string)
    ? (kind as WrittenForeign)
    : { problem: `${JSON.stringify(value)} is no policy` };
}

function uniqueOf(value: unknown): WrittenUnique | Unparsed {
  const unknown = { problem: `${JSON.stringify(value)} is no policy` };
  const { policy: kind, column = null, template, ...rest } = isRecord(value) ? value : { policy: value };
  if (Object.keys(rest).length > 0 || (column !== null && typeof column !== 'string')) return unknown;
  if ((kind === 'park' || kind === 'delete') && column === null && template === undefined) return { kind };
  if (kind === 'null' && template === undefined) return { kind, column };
  if (kind !== 'rename') return unknown;
  if (typeof template !== 'string') return { problem: '"rename" takes a "template"' };
  return templateProblem(template) ?? { kind, template, column };
}

const TOLD = PLACEHOLDERS.map((name) => `{${name}}`).join(', ');

function templateProblem(template: string): Unparsed | null {
  const placeholders = placeholdersOf(template);
  const unknown = placeholders.find((name) => !(PLACEHOLDERS as readonly string[]).includes(name));
  if (unknown !== undefined) return { problem: `the template names {${unknown}}: there are ${TOLD}` };
  if (placeholders.includes('key') || placeholders.includes('region')) return null;
  return {
    problem: `the template ${JSON.stringify(template)} gives rows of different regions one value: it has to name {key}, the row's primary key, or {region}, where it was written`,
  };
}

/** As JSON, by name; null: nothing was said. */
export function uniqueJson({ all, named }: ByKey<WrittenUnique>): unknown {
  return all === null ? (named.size === 0 ? null : sorted(named, uniqueValue)) : uniqueValue(all);
}

export function foreignJson({ all, named }: ByKey<WrittenForeign>): unknown {
  return all ?? (named.size === 0 ? null : sorted(named, (policy) => policy));
}

const sorted = <T>(named: ReadonlyMap<string, T>, valueOf: (policy: T) => unknown): unknown =>
  Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, policy]) => [name, valueOf(policy)]));

function uniqueValue(policy: WrittenUnique): unknown {
  if (policy.kind === 'park' || policy.kind === 'delete') return policy.kind;
  const column = policy.column === null ? {} : { column: policy.column };
  if (policy.kind === 'rename') return { policy: 'rename', template: policy.template, ...column };
  return policy.column === null ? 'null' : { policy: 'null', ...column };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
