import type { TableSpec } from '@meridian/core';
import { counterBounds } from '../apply/counter-bounds.js';
import type { CatalogCheck, CatalogTable } from './catalog-table.js';
import type { PolicyDocument } from './policy-document.js';
import { type EnrolmentProblem, problem } from './refusal.js';

interface Bound {
  readonly column: string;
  readonly min: number;
  readonly max?: number;
}

const boundsOf = (document: PolicyDocument): Bound[] =>
  [...document.columns].flatMap(([column, policy]) =>
    policy.kind === 'bounded-counter'
      ? [{ column, min: policy.min, ...(policy.max === undefined ? {} : { max: policy.max }) }]
      : [],
  );

/** Nothing for a table that has none: what is stored of it stays as it was. */
export function boundedCounters(document: PolicyDocument, since: number): Pick<TableSpec, 'bounded'> {
  const bounded = boundsOf(document).map(({ column, min }) => ({ column, name: column, min: String(min), since }));
  return bounded.length === 0 ? {} : { bounded };
}

export function boundProblems(document: PolicyDocument, table: CatalogTable): EnrolmentProblem[] {
  return boundsOf(document).flatMap((bound) => {
    const problems: EnrolmentProblem[] = [];
    const bad = (message: string, cure: string): void =>
      void problems.push(problem('bad_counter', `the bounded counter "${bound.column}": ${message}`, cure));
    if (bound.max !== undefined)
      bad('"max" is not available: it is kept from falling, and not from rising', 'leave "max" out');
    if (bound.min < 0)
      bad(
        `"min" is ${bound.min}: of a row that two regions insert at once both would hand out what is below zero`,
        'count from zero up: "min": 0',
      );
    if (!isPlain(bound.min)) bad(`"min" is ${bound.min}`, 'write it with up to 15 digits');
    const column = table.columns.find((c) => c.name === bound.column);
    const greatest = column === undefined ? null : (counterBounds(column)?.[1] ?? null);
    if (greatest !== null && bound.min > Number(greatest))
      bad(`"min" is ${bound.min}, and the greatest ${column!.type} is ${greatest}`, 'give it a lower bound');
    return problems;
  });
}

/** As JavaScript and PostgreSQL read it alike. */
const isPlain = (n: number): boolean => /^-?\d{1,15}(\.\d{1,10})?$/.test(String(n));

/** The CHECKs that hold of themselves while a bounded counter keeps to its bound: `CHECK (stock >= 0)`. By name. */
export const impliedChecks = (table: CatalogTable, document: PolicyDocument): ReadonlySet<string> =>
  new Set(boundsOf(document).flatMap((bound) => table.checks.filter((c) => implies(bound, c)).map((c) => c.name)));

const AT_LEAST = /^CHECK \(\(("[^"]+"|[a-z_][a-z0-9_$]*) (>=|>) \(?'?(-?\d+(?:\.\d+)?)'?\)?(?:::[a-z]+)?\)\)$/;

function implies({ column, min }: Bound, { columns, definition }: CatalogCheck): boolean {
  if (columns.length !== 1 || columns[0] !== column) return false;
  const [, , operator, least] = AT_LEAST.exec(definition) ?? [];
  if (least === undefined) return false;
  return operator === '>=' ? min >= Number(least) : min > Number(least);
}
