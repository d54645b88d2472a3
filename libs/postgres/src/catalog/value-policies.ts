import type { ValueOrder } from '@meridian/core';
import type { CatalogColumn, CatalogTable } from './catalog-table.js';
import type { PolicyDocument } from './policy-document.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { isBuiltIn } from './value-text.js';

const ORDERS: ReadonlyMap<ValueOrder, readonly string[]> = new Map([
  ['number', ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']],
  ['time', ['date', 'timestamp', 'timestamptz']],
  ['boolean', ['bool']],
]);

/** How the column's values are compared; null: not by Meridian, whose order would be another than the database's. */
export function valueOrderOf(column: CatalogColumn): ValueOrder | null {
  for (const [order, types] of ORDERS) if (types.some((type) => isBuiltIn(column, type))) return order;
  return null;
}

/** A domain may refuse what two regions' texts make together. */
const TEXT = /^(?:text|character varying(?:\((\d+)\))?)$/;

/** How many characters the column takes; null: any number. */
export function longestText({ type }: CatalogColumn): number | null {
  const length = TEXT.exec(type)?.[1];
  return length === undefined ? null : Number(length);
}

/** Policies that go by a column's values need a column whose values they know. */
export function valuePolicyProblems(document: PolicyDocument, table: CatalogTable): EnrolmentProblem[] {
  return [...document.columns].flatMap(([name, { kind }]) => {
    const column = table.columns.find((c) => c.name === name);
    const wanted = column === undefined ? undefined : wants(kind, column);
    if (wanted === undefined) return [];
    return [
      problem(
        'bad_policy',
        `"${name}" is ${column!.type}: "${kind}" takes ${wanted}`,
        `ALTER TABLE ${table.name} ALTER COLUMN … TYPE …, in every region, or another policy`,
      ),
    ];
  });
}

/** What the policy takes, where this column is no such one. */
function wants(kind: string, column: CatalogColumn): string | undefined {
  switch (kind) {
    case 'max':
    case 'min':
      return valueOrderOf(column) === null ? 'a number, date, timestamp or boolean' : undefined;
    case 'flag':
      return isBuiltIn(column, 'bool') ? undefined : 'a boolean';
    case 'set':
    case 'grow-set':
      // box alone puts another sign between its elements.
      return column.type.endsWith('[]') && column.type !== 'box[]' ? undefined : 'an array, but not of box';
    case 'map':
      return isBuiltIn(column, 'jsonb') ? undefined : 'jsonb';
    case 'text':
      return TEXT.test(column.type) ? undefined : 'text or varchar';
    default:
      return undefined;
  }
}
