import { type ForeignKey, type ParentLoss, placeholdersOf, type UniqueKey, type UniqueLoss } from '@meridian/core';
import type { CatalogColumn, CatalogForeignKey, CatalogTable, CatalogUniqueIndex } from './catalog-table.js';
import type { PolicyDocument } from './policy-document.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { isBuiltIn } from './value-text.js';
import { policyOfKey, type WrittenUnique } from './written-keys.js';

/** The unique keys and foreign keys with what becomes of rows that lose; or why that cannot be. */
export function keysOf(
  table: CatalogTable,
  document: PolicyDocument,
  problems: EnrolmentProblem[],
): { readonly uniqueKeys: readonly UniqueKey[]; readonly foreignKeys: readonly ForeignKey[] } {
  const secondary = table.indexes.filter((i) => !i.primary);
  problems.push(
    ...unknownKeys('unique key', document.unique.named, secondary),
    ...unknownKeys('foreign key', document.foreignKeys.named, table.foreignKeys),
  );
  return {
    uniqueKeys: secondary.map((index) => uniqueKey(table, document, index, problems)),
    foreignKeys: table.foreignKeys.map((key) => foreignKey(table, document, key, problems)),
  };
}

function unknownKeys(
  what: string,
  named: ReadonlyMap<string, unknown>,
  there: readonly { readonly name: string }[],
): EnrolmentProblem[] {
  const names = there.map((key) => key.name);
  return [...named.keys()]
    .filter((name) => !names.includes(name))
    .map((name) =>
      problem(
        'unknown_constraint',
        `there is no ${what} "${name}"`,
        names.length === 0 ? 'leave it out: the table has none' : `name one of ${names.join(', ')}`,
      ),
    );
}

function uniqueKey(
  table: CatalogTable,
  document: PolicyDocument,
  index: CatalogUniqueIndex,
  problems: EnrolmentProblem[],
): UniqueKey {
  const { name, columns, nullsDistinct } = index;
  const written = policyOfKey(document.unique, name);
  if (written === null || written.kind === 'park') return { name, columns, nullsDistinct };
  const loser = written.kind === 'delete' ? written : changing(table, index, written, problems);
  return { name, columns, nullsDistinct, ...(loser === null ? {} : { loser }) };
}

/** `null` and `rename` change one column of the key: what a CHECK or a foreign key says of it would be broken by the new value. */
function changing(
  table: CatalogTable,
  { name, columns, nullsDistinct }: CatalogUniqueIndex,
  written: Extract<WrittenUnique, { kind: 'null' | 'rename' }>,
  problems: EnrolmentProblem[],
): UniqueLoss | null {
  const refuse = (why: string, cure: string): null => {
    problems.push(problem('bad_key_policy', `"${written.kind}" for the unique key "${name}": ${why}`, cure));
    return null;
  };
  if (written.kind === 'null' && !nullsDistinct)
    return refuse('its NULLs are not distinct, so NULL would be taken as well', 'use "park", "rename" or "delete"');
  if (written.column !== null && !columns.includes(written.column))
    return refuse(`"${written.column}" is not one of its columns`, `name one of ${columns.join(', ')}`);
  const asked = written.column === null ? columns : [written.column];
  const unfit = asked.map((c) => unfitFor(written.kind, table, c));
  const fit = asked.filter((_, i) => unfit[i] === null);
  const others = written.kind === 'null' ? '"park", "rename" or "delete"' : '"park", "null" or "delete"';
  if (fit.length === 0) return refuse(unfit.join('; '), `use ${others}`);
  if (fit.length > 1)
    return refuse(
      `${fit.join(' and ')} can be changed`,
      `say which: {"policy": "${written.kind}", …, "column": "${fit[0]}"}`,
    );
  const [column] = fit as [string];
  if (written.kind === 'null') return { kind: 'null', column };
  const longest = longestIn(table.columns.find((c) => c.name === column)!);
  if (longest !== null && shortestOf(written.template) > longest)
    return refuse(
      `"${column}" takes ${longest} characters, and what the template adds takes more`,
      'shorten the template, or widen the column in every region',
    );
  return { kind: 'rename', column, template: written.template, longest };
}

/** Why the column cannot be set so; null: it can. */
function unfitFor(kind: 'null' | 'rename', table: CatalogTable, name: string): string | null {
  const column = table.columns.find((c) => c.name === name)!;
  if (table.keyColumns.includes(name)) return `"${name}" is part of the primary key`;
  if (kind === 'null' && column.notNull) return `"${name}" is NOT NULL`;
  if (kind === 'rename' && !(isBuiltIn(column, 'text') || isBuiltIn(column, 'varchar')))
    return `"${name}" is ${column.type}, and only text and varchar can be renamed`;
  const check = table.checks.find((c) => c.columns.includes(name));
  if (check !== undefined) return `"${name}" is inside the CHECK "${check.name}", which the new value could break`;
  const reference = table.foreignKeys.find((f) => f.columns.includes(name));
  return reference === undefined || kind === 'null' ? null : `"${name}" refers to another row by "${reference.name}"`;
}

/** A varchar's modifier is its length and the four bytes of a header. */
const longestIn = ({ modifier, base }: CatalogColumn): number | null =>
  base.name === 'varchar' && modifier > 4 ? modifier - 4 : null;

const LONGEST_REGION = 31;
const DIGITS_OF_A_KEY = 20;
const NUMBER = ' 50'.length;

/** With the longest region's name, a bigint for a key, and nothing left of the value. */
function shortestOf(template: string): number {
  const placeholders = placeholdersOf(template);
  const literal = [...template.replace(/\{[^{}]*\}/g, '')].length;
  const of = (name: string): number => placeholders.filter((p) => p === name).length;
  return literal + NUMBER + of('region') * LONGEST_REGION + of('key') * DIGITS_OF_A_KEY;
}

/** Also of a key that is agreed on later, with its parent's enrolment. */
export function foreignKey(
  table: CatalogTable,
  document: PolicyDocument,
  { name, columns, parent, parentColumns }: CatalogForeignKey,
  problems: EnrolmentProblem[],
): ForeignKey {
  const key: ForeignKey = { name, columns, parent, parentColumns };
  const kind = policyOfKey(document.foreignKeys, name) ?? 'restore';
  if (kind === 'restore') return key;
  if (kind !== 'null') return { ...key, orphan: { kind } };
  const unfit = columns.map((c) => unfitFor('null', table, c));
  const nulled = columns.filter((_, i) => unfit[i] === null);
  if (nulled.length > 0) return { ...key, orphan: { kind, columns: nulled } satisfies ParentLoss };
  problems.push(
    problem(
      'bad_key_policy',
      `"null" for the foreign key "${name}": ${unfit.join('; ')}`,
      'use "restore", "park" or "cascade"',
    ),
  );
  return key;
}
