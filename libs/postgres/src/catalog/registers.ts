import type { PolicyDocument } from './policy-document.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import type { CatalogTable } from './catalog-table.js';
import { type Register, merges } from '@meridian/core';
import { longestText, valueOrderOf } from './value-policies.js';
import { impliedChecks } from './bounded-counters.js';
import { type WrittenPolicy, isCounter, isWhole, policyValue } from './written-policy.js';

/** Columns that must come from one version together, and why. */
interface Bond {
  readonly columns: readonly string[];
  readonly because: string;
  /** A group of the policy, and not of the table. */
  readonly byUser: boolean;
}

/**
 * Every replicated column but the key's in exactly one register, counters apart. Columns that share a CHECK, a unique key or
 * a composite foreign key are one group by themselves: then a winner satisfies the constraint, for some region wrote it so.
 */
export function registersOf(
  table: CatalogTable,
  document: PolicyDocument,
  problems: EnrolmentProblem[],
): { registers: Register[]; counters: string[] } {
  const free = table.columns.filter((c) => !c.generated && !table.keyColumns.includes(c.name)).map((c) => c.name);
  const counters = free.filter((name) => {
    const policy = document.columns.get(name);
    return policy !== undefined && isCounter(policy);
  });
  const bonds = bondsOf(table, document);
  for (const counter of counters) {
    const bond = bonds.find((b) => b.columns.includes(counter));
    if (bond !== undefined)
      problems.push(
        problem(
          'bad_counter',
          `"${counter}" is a counter inside ${bond.because}: a sum that no region wrote could break it`,
          'drop the constraint, or give the column another policy: {"policy": "bounded-counter", "min": 0} keeps to a CHECK (… >= 0)',
        ),
      );
  }
  problems.push(...mergedInBond(free, document, bonds));
  const registered = free.filter((name) => !counters.includes(name));
  const sets = document.granularity === 'row' ? [registered] : joined(registered, bonds);
  const registers = sets
    .filter((columns) => columns.length > 0)
    .map((columns) => ({ columns, policy: resolved(table, columns, policyOf(columns, document, problems)) }));
  return { registers, counters };
}

/** A CHECK that spans one column alone makes no group, and holds for what each region wrote, not for what is made of both. */
function mergedInBond(free: readonly string[], document: PolicyDocument, bonds: readonly Bond[]): EnrolmentProblem[] {
  return free.flatMap((name) => {
    const policy = document.columns.get(name);
    const bond =
      bonds.find((b) => b.columns.includes(name) && !b.byUser) ?? bonds.find((b) => b.columns.includes(name));
    if (policy === undefined || isCounter(policy) || bond === undefined) return [];
    if (!makesValues(policy) || (policy.kind === 'merge' && bond.byUser)) return [];
    return [
      problem(
        'bad_group',
        `"${name}" is merged (${policy.kind}) inside ${bond.because}: a value merged from two regions' could break it`,
        'drop the constraint, or give the column another policy',
      ),
    ];
  });
}

function bondsOf(table: CatalogTable, document: PolicyDocument): Bond[] {
  const sources = (name: string): readonly string[] => {
    const column = table.columns.find((c) => c.name === name);
    return column?.generated ? column.generatedFrom : [name];
  };
  const implied = impliedChecks(table, document);
  return [
    ...table.checks
      .filter((c) => !implied.has(c.name))
      .map((c) => ({
        columns: c.columns.flatMap(sources),
        because: `the CHECK "${c.name}"`,
        byUser: false,
      })),
    ...table.indexes
      .filter((i) => !i.primary)
      .map((i) => ({ columns: i.columns, because: `the unique key "${i.name}"`, byUser: false })),
    ...table.foreignKeys.map((f) => ({ columns: f.columns, because: `the foreign key "${f.name}"`, byUser: false })),
    ...document.groups.map((columns) => ({ columns, because: `the group ${columns.join(', ')}`, byUser: true })),
  ];
}

/** A value that no region wrote. */
const makesValues = (policy: WrittenPolicy): boolean => policy.kind === 'merge' || merges(policy as Register['policy']);

/** The finest partition of the columns that keeps every bond together, in the columns' order. */
function joined(columns: readonly string[], bonds: readonly Bond[]): string[][] {
  const setOf = new Map(columns.map((c) => [c, new Set([c])]));
  for (const bond of bonds) {
    const members = bond.columns.map((c) => setOf.get(c)).filter((s) => s !== undefined);
    const union = new Set(members.flatMap((s) => [...s]));
    for (const c of union) setOf.set(c, union);
  }
  return [...new Set(setOf.values())].map((set) => columns.filter((c) => set.has(c)));
}

function policyOf(columns: readonly string[], document: PolicyDocument, problems: EnrolmentProblem[]): WrittenPolicy {
  const named = columns.flatMap((c) => {
    const policy = document.columns.get(c);
    return policy === undefined || isCounter(policy) ? [] : [{ column: c, policy }];
  });
  const [first, ...rest] = named;
  if (first === undefined) return document.policy;
  const other = rest.find((n) => !samePolicy(n.policy, first.policy));
  if (other !== undefined)
    problems.push(
      problem(
        'bad_group',
        `"${first.column}" and "${other.column}" are decided together (${columns.join(', ')}), but have different policies`,
        'give both the same policy',
      ),
    );
  if (columns.length > 1 && !isWhole(first.policy) && first.policy.kind !== 'merge')
    problems.push(
      problem(
        'bad_group',
        `"${first.column}" is decided together with others (${columns.join(', ')}), and "${first.policy.kind}" goes by one column's values`,
        'take the column out of the group, or give it a policy that takes one version whole',
      ),
    );
  return first.policy;
}

const samePolicy = (a: WrittenPolicy, b: WrittenPolicy): boolean =>
  JSON.stringify(policyValue(a)) === JSON.stringify(policyValue(b));

/** With what the column's type says of its values. A counter is in no register. */
function resolved(table: CatalogTable, columns: readonly string[], policy: WrittenPolicy): Register['policy'] {
  if (isCounter(policy)) throw new Error(`a counter among the registers of ${table.name}`);
  const column = table.columns.find((c) => c.name === columns[0]);
  if (policy.kind === 'text') return { kind: 'text', longest: column === undefined ? null : longestText(column) };
  if (policy.kind !== 'max' && policy.kind !== 'min') return policy;
  return { kind: policy.kind, order: (column && valueOrderOf(column)) ?? 'number' };
}
