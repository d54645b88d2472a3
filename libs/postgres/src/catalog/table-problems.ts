import type { CatalogTable } from './catalog-table.js';
import { foreignKeyProblems } from './foreign-key-problems.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { uniqueKeyProblems } from './unique-key-problems.js';
import { canBeKey } from './value-text.js';

/** What is wrong with the table itself, whatever its policy. */
export function shapeProblems(table: CatalogTable): EnrolmentProblem[] {
  const kind = kindProblem(table);
  // A view has no key either, but that is not what is to be mended.
  if (kind !== null) return [kind];
  return [...ownerProblems(table), ...ruleProblems(table)];
}

/** Of them: what it is, and its keys and constraints, by which rows are decided. */
export function ruleProblems(table: CatalogTable): EnrolmentProblem[] {
  const kind = kindProblem(table);
  if (kind !== null) return [kind];
  return [
    ...keyProblems(table),
    ...uniqueKeyProblems(table),
    ...constraintProblems(table),
    ...foreignKeyProblems(table),
  ];
}

/** Can triggers on it log its rows under these key columns? */
export const isCapturable = (table: CatalogTable, keyColumns: readonly string[]): boolean =>
  kindProblem(table) === null && table.owned && keyColumns.every((name) => table.columns.some((c) => c.name === name));

const KINDS = new Map([
  ['v', 'a view'],
  ['m', 'a materialized view'],
  ['f', 'a foreign table'],
  ['S', 'a sequence'],
  ['c', 'a composite type'],
]);

function kindProblem(table: CatalogTable): EnrolmentProblem | null {
  const unsupported = (what: string, cure: string): EnrolmentProblem =>
    problem('unsupported_relation', `${table.name} is ${what}`, cure);
  if (table.kind !== 'r' && table.kind !== 'p')
    return unsupported(KINDS.get(table.kind) ?? 'no table', 'enrol the tables that it reads');
  if (table.persistence === 'u')
    return unsupported('unlogged: a crash empties it', `ALTER TABLE ${table.name} SET LOGGED`);
  if (table.persistence === 't') return unsupported('temporary: no other session sees it', 'enrol a permanent table');
  if (table.isPartition) return unsupported('a partition', 'enrol the partitioned table: its partitions come with it');
  const foreign = table.tree.find((r) => r.foreign);
  if (foreign !== undefined) return unsupported(`partitioned over the foreign table ${foreign.relation}`, 'detach it');
  if (table.inheritance.length > 0)
    return unsupported(
      `tied by INHERITS to ${table.inheritance.join(', ')}`,
      'use declarative partitioning, or ALTER TABLE … NO INHERIT',
    );
  return null;
}

function ownerProblems(table: CatalogTable): EnrolmentProblem[] {
  if (table.owned) return [];
  const cure = `GRANT ${table.owner} TO the role of postgres.url, or ALTER TABLE ${table.name} OWNER TO it`;
  return [
    problem('not_owner', `${table.name} belongs to ${table.owner}; only its owner can install capture on it`, cure),
  ];
}

function keyProblems(table: CatalogTable): EnrolmentProblem[] {
  if (table.keyColumns.length === 0)
    return [
      problem(
        'no_primary_key',
        `${table.name} has no primary key: its rows cannot be told apart between regions`,
        `ALTER TABLE ${table.name} ADD PRIMARY KEY (…), in every region`,
      ),
    ];
  return table.keyColumns.flatMap((name) => {
    const column = table.columns.find((c) => c.name === name)!;
    if (canBeKey(column) && !column.generated) return [];
    const why = column.generated ? 'is generated' : `is ${column.type}, whose equal values may differ in their text`;
    return [
      problem(
        'unsupported_key_type',
        `the key column "${name}" ${why}`,
        'use an integer, numeric, uuid, text, date, timestamp or bytea key',
      ),
    ];
  });
}

function constraintProblems(table: CatalogTable): EnrolmentProblem[] {
  return table.exclusions.map((name) =>
    problem(
      'unsupported_constraint',
      `the exclusion constraint "${name}" is not available yet`,
      'drop it in every region',
    ),
  );
}
