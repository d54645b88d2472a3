import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogForeignKey, CatalogTable } from './catalog-table.js';
import { type EnrolmentProblem, problem } from './refusal.js';

/** Of the foreign keys themselves, whichever tables are enrolled. */
export function foreignKeyProblems(table: CatalogTable): EnrolmentProblem[] {
  return table.foreignKeys.flatMap((key) => {
    const generated = key.columns.find((name) => table.columns.some((c) => c.name === name && c.generated));
    if (generated !== undefined)
      return [
        problem(
          'unsupported_constraint',
          `the foreign key "${key.name}" is over the generated column "${generated}"`,
          'drop it in every region',
        ),
      ];
    return namesParent(key) ? [] : [withoutPrimaryKey(key)];
  });
}

/** Parents are told apart by their primary key: apply holds them by it, and a touch keeps them by it. */
export const namesParent = (key: CatalogForeignKey): boolean =>
  key.parentKey.every((part) => key.parentColumns.includes(part.name));

function withoutPrimaryKey({ name, parent, parentColumns, parentKey }: CatalogForeignKey): EnrolmentProblem {
  const primary = parentKey.map((part) => part.name).join(', ');
  return problem(
    'unsupported_foreign_key',
    `the foreign key "${name}" refers to ${parent} by (${parentColumns.join(', ')}), not by its primary key: a parent that changes this in another region would leave its children behind`,
    `let it refer to (${primary}), or drop it, in every region`,
  );
}

/**
 * Parents that are not enrolled: no region knows another's rows of them, and children would arrive without. A table that
 * refers back, straight or around a circle, cannot be enrolled before; it is enrolled next.
 */
export async function parentProblems(client: ClientBase, table: CatalogTable): Promise<EnrolmentProblem[]> {
  if (table.foreignKeys.length === 0) return [];
  const { rows } = await client.query<{ parent: TableName }>(NOT_ENROLLED, [table.oid]);
  const missing = new Set(rows.map((r) => r.parent));
  return table.foreignKeys
    .filter((key) => missing.has(key.parent))
    .map(({ name, parent }) =>
      problem(
        'parent_not_enrolled',
        `the foreign key "${name}" refers to ${parent}, which is not enrolled: rows would arrive without their parents`,
        `enrol ${parent} first, or drop the foreign key in every region`,
      ),
    );
}

const NOT_ENROLLED = /* sql */ `
WITH RECURSIVE referred AS (
  SELECT con.confrelid AS parent, con.confrelid AS reached FROM pg_constraint con
   WHERE con.conrelid = $1 AND con.contype = 'f' AND con.conparentid = 0
  UNION
  SELECT r.parent, con.confrelid FROM referred r
    JOIN pg_constraint con ON con.conrelid = r.reached AND con.contype = 'f' AND con.conparentid = 0
)
SELECT name.parent FROM (SELECT DISTINCT parent AS oid FROM referred) p
  JOIN pg_class c ON c.oid = p.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS parent) AS name
 WHERE NOT EXISTS (SELECT FROM meridian.enrolled_table e WHERE e.rel = name.parent)
   AND NOT EXISTS (SELECT FROM referred r WHERE r.parent = p.oid AND r.reached = $1)`;
