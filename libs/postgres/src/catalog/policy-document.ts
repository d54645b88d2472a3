import type { DeletePolicy, Granularity, RegisterPolicy } from '@meridian/core';
import { type EnrolmentProblem, problem } from './refusal.js';

/** A policy as a user wrote it (interfaces.md), defaults filled in; column names are not yet compared with a table. */
export interface PolicyDocument {
  readonly granularity: Granularity;
  readonly policy: RegisterPolicy;
  readonly groups: readonly (readonly string[])[];
  readonly delete: DeletePolicy;
  /** A map, for a column may be called `__proto__`. */
  readonly columns: ReadonlyMap<string, ColumnPolicy>;
}
export type ColumnPolicy = RegisterPolicy | { readonly kind: 'counter' };

const LATER =
  'first-write region-priority max min bounded-counter set grow-set flag register map text manual merge'.split(' ');
const KEYS = ['granularity', 'policy', 'groups', 'delete', 'columns', 'initial'];
const GRANULARITIES: readonly string[] = ['column', 'group', 'row'] satisfies Granularity[];
const DELETES: readonly string[] = ['update-wins', 'delete-wins', 'by-stamp'] satisfies DeletePolicy[];

export type ParsedPolicy =
  | { readonly document: PolicyDocument; readonly problems: readonly [] }
  | { readonly document: null; readonly problems: readonly EnrolmentProblem[] };

export function parsePolicyDocument(input: unknown): ParsedPolicy {
  const problems: EnrolmentProblem[] = [];
  const bad = (message: string, cure: string): void => void problems.push(problem('bad_policy', message, cure));
  if (!isRecord(input)) {
    bad('the policy is no JSON object', 'write {} for the defaults');
    return { document: null, problems };
  }
  for (const key of Object.keys(input))
    if (!KEYS.includes(key)) bad(`"${key}" is no part of a policy`, `the parts are ${KEYS.join(', ')}`);
  const document: PolicyDocument = {
    granularity: oneOf(input, 'granularity', GRANULARITIES, bad) as Granularity,
    policy: registerPolicy(own(input, 'policy') ?? 'hlc', 'the table', problems) ?? { kind: 'hlc' },
    groups: groupsOf(own(input, 'groups') ?? [], bad),
    delete: oneOf(input, 'delete', DELETES, bad) as DeletePolicy,
    columns: columnsOf(own(input, 'columns') ?? {}, problems, bad),
  };
  return problems.length === 0 ? { document, problems: [] } : { document: null, problems };
}

/** As JSON, the same for the same policy: what is stored, shown, and compared when a table is enrolled again. */
export function policyJson(document: PolicyDocument): string {
  const columns = [...document.columns].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({
    granularity: document.granularity,
    policy: policyValue(document.policy),
    groups: document.groups,
    delete: document.delete,
    columns: Object.fromEntries(columns.map(([name, policy]) => [name, policyValue(policy)])),
  });
}

const policyValue = (policy: ColumnPolicy): unknown =>
  policy.kind === 'lww' && policy.column !== null ? { policy: 'lww', column: policy.column } : policy.kind;

type Bad = (message: string, cure: string) => void;

function oneOf(input: object, key: string, allowed: readonly string[], bad: Bad): string {
  const value = own(input, key) ?? allowed[0]!;
  if (typeof value === 'string' && allowed.includes(value)) return value;
  bad(`"${key}" is ${JSON.stringify(value)}`, `write one of ${allowed.join(', ')}`);
  return allowed[0]!;
}

function groupsOf(value: unknown, bad: Bad): readonly (readonly string[])[] {
  const ok =
    Array.isArray(value) &&
    value.every((g) => Array.isArray(g) && g.length > 0 && g.every((c) => typeof c === 'string'));
  if (ok) return value as string[][];
  bad('"groups" is no list of lists of columns', 'write "groups": [["amount", "currency"]]');
  return [];
}

function columnsOf(value: unknown, problems: EnrolmentProblem[], bad: Bad): ReadonlyMap<string, ColumnPolicy> {
  const columns = new Map<string, ColumnPolicy>();
  if (!isRecord(value)) bad('"columns" is no object', 'write "columns": {"stock": "counter"}');
  else
    for (const [name, given] of Object.entries(value)) {
      const policy =
        given === 'counter' ? ({ kind: 'counter' } as const) : registerPolicy(given, `"${name}"`, problems);
      if (policy !== null) columns.set(name, policy);
    }
  return columns;
}

function registerPolicy(value: unknown, of: string, problems: EnrolmentProblem[]): RegisterPolicy | null {
  const name = typeof value === 'string' ? value : isRecord(value) ? own(value, 'policy') : undefined;
  const column = isRecord(value) ? (own(value, 'column') ?? null) : null;
  const known = isRecord(value) ? Object.keys(value).every((k) => k === 'policy' || k === 'column') : true;
  if (name === 'hlc' && column === null && known) return { kind: 'hlc' };
  if (name === 'lww' && known && (column === null || typeof column === 'string')) return { kind: 'lww', column };
  const later = typeof name === 'string' && (LATER.includes(name) || name.startsWith('merge:'));
  const shown = JSON.stringify(value);
  problems.push(
    later
      ? problem('policy_not_available', `${of}: the policy ${shown} is not available yet`, 'use hlc, lww or counter')
      : problem(
          'bad_policy',
          `${of}: ${shown} is no policy`,
          'write "hlc", "lww", {"policy": "lww", "column": …}, or for a column "counter"',
        ),
  );
  return null;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Not `input.key`: what a document inherits from Object.prototype is not in it. */
const own = (input: object, key: string): unknown =>
  Object.hasOwn(input, key) ? (input as Record<string, unknown>)[key] : undefined;
