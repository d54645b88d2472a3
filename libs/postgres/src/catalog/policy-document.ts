import type { DeletePolicy, Granularity } from '@meridian/core';
import { type EnrolmentProblem, problem } from './refusal.js';
import {
  COLUMN_POLICIES,
  WHOLE_POLICIES,
  type WholePolicy,
  type WrittenPolicy,
  isWhole,
  policyValue,
  writtenPolicy,
} from './written-policy.js';
import {
  type ByKey,
  foreignJson,
  foreignPolicies,
  uniqueJson,
  uniquePolicies,
  type WrittenForeign,
  type WrittenUnique,
} from './written-keys.js';

/** A policy as a user wrote it (interfaces.md), defaults filled in; column names are not yet compared with a table. */
export interface PolicyDocument {
  readonly granularity: Granularity;
  readonly policy: WholePolicy;
  readonly groups: readonly (readonly string[])[];
  readonly delete: DeletePolicy;
  /** A map, for a column may be called `__proto__`. */
  readonly columns: ReadonlyMap<string, WrittenPolicy>;
  /** Columns whose values leave the cluster in no export. */
  readonly secret: readonly string[];
  /** Of rows that lose a unique value. */
  readonly unique: ByKey<WrittenUnique>;
  /** Of rows whose parent is gone. */
  readonly foreignKeys: ByKey<WrittenForeign>;
}

const KEYS = ['granularity', 'policy', 'groups', 'delete', 'columns', 'secret', 'unique', 'foreignKeys', 'initial'];
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
    policy: tablePolicy(own(input, 'policy') ?? 'hlc', problems),
    groups: groupsOf(own(input, 'groups') ?? [], bad),
    delete: oneOf(input, 'delete', DELETES, bad) as DeletePolicy,
    columns: columnsOf(own(input, 'columns') ?? {}, problems, bad),
    secret: secretOf(own(input, 'secret') ?? [], bad),
    unique: uniquePolicies(own(input, 'unique'), problems),
    foreignKeys: foreignPolicies(own(input, 'foreignKeys'), problems),
  };
  return problems.length === 0 ? { document, problems: [] } : { document: null, problems };
}

/** As JSON, the same for the same policy: what is stored, shown, and compared when a table is enrolled again. */
export function policyJson(document: PolicyDocument): string {
  const columns = [...document.columns].sort(([a], [b]) => (a < b ? -1 : 1));
  const [unique, foreignKeys] = [uniqueJson(document.unique), foreignJson(document.foreignKeys)];
  return JSON.stringify({
    granularity: document.granularity,
    policy: policyValue(document.policy),
    groups: document.groups,
    delete: document.delete,
    columns: Object.fromEntries(columns.map(([name, policy]) => [name, policyValue(policy)])),
    ...(document.secret.length === 0 ? {} : { secret: [...document.secret].sort() }),
    ...(unique === null ? {} : { unique }),
    ...(foreignKeys === null ? {} : { foreignKeys }),
  });
}

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

function secretOf(value: unknown, bad: Bad): readonly string[] {
  if (Array.isArray(value) && value.every((c) => typeof c === 'string')) return value;
  bad('"secret" is no list of columns', 'write "secret": ["iban"]');
  return [];
}

function columnsOf(value: unknown, problems: EnrolmentProblem[], bad: Bad): ReadonlyMap<string, WrittenPolicy> {
  const columns = new Map<string, WrittenPolicy>();
  if (!isRecord(value)) bad('"columns" is no object', 'write "columns": {"stock": "counter"}');
  else
    for (const [name, given] of Object.entries(value)) {
      const policy = policyOf(given, `"${name}"`, COLUMN_POLICIES, problems);
      if (policy !== null) columns.set(name, policy);
    }
  return columns;
}

function tablePolicy(value: unknown, problems: EnrolmentProblem[]): WholePolicy {
  const policy = policyOf(value, 'the table', WHOLE_POLICIES, problems);
  if (policy === null) return { kind: 'hlc' };
  if (isWhole(policy)) return policy;
  problems.push(
    problem(
      'bad_policy',
      `the table: "${policy.kind}" goes by one column's values`,
      `name a column that has it, or for the table one of ${WHOLE_POLICIES}`,
    ),
  );
  return { kind: 'hlc' };
}

function policyOf(value: unknown, of: string, allowed: string, problems: EnrolmentProblem[]): WrittenPolicy | null {
  const policy = writtenPolicy(value);
  if (typeof policy === 'object' && 'misfit' in policy) {
    problems.push(problem('bad_policy', `${of}: ${policy.misfit}`, policy.cure));
    return null;
  }
  if (typeof policy !== 'string') return policy;
  problems.push(problem('bad_policy', `${of}: ${JSON.stringify(value)} is no policy`, `write one of ${allowed}`));
  return null;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Not `input.key`: what a document inherits from Object.prototype is not in it. */
const own = (input: object, key: string): unknown =>
  Object.hasOwn(input, key) ? (input as Record<string, unknown>)[key] : undefined;
