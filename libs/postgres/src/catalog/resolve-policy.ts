import type { TableSpec } from '@meridian/core';
import type { CatalogColumn, CatalogTable } from './catalog-table.js';
import { type PolicyDocument, parsePolicyDocument } from './policy-document.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { registersOf } from './registers.js';
import { shapeProblems } from './table-problems.js';
import { boundedCounters, boundProblems } from './bounded-counters.js';
import { isBuiltIn } from './value-text.js';
import { valuePolicyProblems } from './value-policies.js';
import { isCounter } from './written-policy.js';

export type Resolved =
  | { readonly spec: TableSpec; readonly document: PolicyDocument; readonly problems: readonly [] }
  | { readonly spec: null; readonly document: null; readonly problems: readonly EnrolmentProblem[] };

/** What the user wrote, resolved against the catalog; or every reason at once why it cannot be. */
export function resolvePolicy(input: unknown, table: CatalogTable, epoch: number): Resolved {
  const parsed = parsePolicyDocument(input);
  const problems: EnrolmentProblem[] = [...parsed.problems, ...shapeProblems(table)];
  const document = parsed.document;
  if (document === null) return { spec: null, document: null, problems };
  problems.push(
    ...unknownColumns(document, table),
    ...counterProblems(document, table),
    ...boundProblems(document, table),
    ...lwwProblems(document, table),
    ...valuePolicyProblems(document, table),
  );
  const { registers, counters } = registersOf(table, document, problems);
  if (problems.length > 0) return { spec: null, document: null, problems };
  const spec: TableSpec = {
    name: table.name,
    keyColumns: table.keyColumns,
    registers,
    counters,
    ...boundedCounters(document, epoch),
    delete: document.delete,
    uniqueKeys: table.indexes
      .filter((i) => !i.primary)
      .map(({ name, columns, nullsDistinct }) => ({ name, columns, nullsDistinct })),
    foreignKeys: table.foreignKeys.map(({ name, columns, parent, parentColumns }) => ({
      name,
      columns,
      parent,
      parentColumns,
    })),
    renamed: [],
    agreed: table.columns.filter((c) => !c.generated).map((c) => c.name),
    epoch,
  };
  return { spec, document, problems: [] };
}

const columnNamed = (table: CatalogTable, name: string): CatalogColumn | undefined =>
  table.columns.find((c) => c.name === name);

function unknownColumns(document: PolicyDocument, table: CatalogTable): EnrolmentProblem[] {
  const named = new Set([...document.columns.keys(), ...document.groups.flat(), ...document.secret]);
  return [...named].flatMap((name) => {
    const column = columnNamed(table, name);
    const others = `the columns are ${table.columns.map((c) => c.name).join(', ')}`;
    if (column === undefined) return [problem('unknown_column', `there is no column "${name}"`, others)];
    if (table.keyColumns.includes(name))
      return [problem('bad_policy', `"${name}" is part of the primary key, which has no policy`, 'leave it out')];
    if (column.generated)
      return [problem('bad_policy', `"${name}" is generated, hence computed in each region`, 'leave it out')];
    return [];
  });
}

function counterProblems(document: PolicyDocument, table: CatalogTable): EnrolmentProblem[] {
  return [...document.columns].flatMap(([name, policy]) => {
    const column = columnNamed(table, name);
    if (!isCounter(policy) || column === undefined) return [];
    const problems: EnrolmentProblem[] = [];
    if (!['int2', 'int4', 'int8', 'numeric'].some((type) => isBuiltIn(column, type)))
      problems.push(
        problem(
          'bad_counter',
          `"${name}" is ${column.type}: a counter adds integers or numerics, for the sum of floats depends on their order`,
          `ALTER TABLE ${table.name} ALTER COLUMN … TYPE numeric, in every region`,
        ),
      );
    if (!column.notNull)
      problems.push(
        problem(
          'bad_counter',
          `the counter "${name}" can be NULL`,
          `ALTER TABLE ${table.name} ALTER COLUMN … SET NOT NULL, in every region`,
        ),
      );
    return problems;
  });
}

const TIMES = ['timestamptz', 'timestamp', 'date'];

function lwwProblems(document: PolicyDocument, table: CatalogTable): EnrolmentProblem[] {
  const named = [document.policy, ...document.columns.values()].flatMap((p) =>
    p.kind === 'lww' && p.column !== null ? [p.column] : [],
  );
  return [...new Set(named)].flatMap((name) => {
    const column = columnNamed(table, name);
    if (column !== undefined && !column.generated && TIMES.some((type) => isBuiltIn(column, type))) return [];
    const what =
      column === undefined ? 'there is no such column' : column.generated ? 'it is generated' : `it is ${column.type}`;
    return [
      problem(
        'bad_lww_column',
        `lww by "${name}": ${what}`,
        `name a column of type ${TIMES.join(', ')}, or none for the wall clock`,
      ),
    ];
  });
}
