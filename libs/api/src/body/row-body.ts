import { clip, type JsonText } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { type JsonNode, parseJsonText, textOf } from './json-text.js';

/** One row or several, still as the text that was sent, and the columns that all of them name. */
export interface RowBody {
  readonly values: JsonText;
  readonly many: boolean;
  readonly count: number;
  readonly columns: readonly string[];
}

/** `taken`: the columns that the request wants from the rows, whatever else they name (?columns=). */
export function parseRowBody(text: string, taken: readonly string[] | null = null): RowBody {
  return rowBody(text, parseJsonText(text), taken);
}

export function rowBody(text: string, node: JsonNode, taken: readonly string[] | null = null): RowBody {
  const rows = node.kind === 'array' ? node.items : [node];
  const named = rows.map(columnsOf);
  const columns = taken ?? named[0] ?? [];
  const expected = new Set(columns);
  if (taken === null) for (const names of named) requireSame(expected, names);
  return { values: textOf(text, node) as JsonText, many: node.kind === 'array', count: rows.length, columns };
}

/** One row: an object. */
export function singleRow(body: RowBody): RowBody {
  if (body.many) throw new ApiProblem('bad_body', 'one row is written here: send a JSON object, not an array');
  return body;
}

function columnsOf(node: JsonNode): readonly string[] {
  if (node.kind !== 'object')
    throw new ApiProblem('bad_body', 'a row is a JSON object: {"column": value, …}, or an array of such');
  const names = node.entries.map(([key]) => key);
  if (new Set(names).size !== names.length)
    throw new ApiProblem(
      'bad_body',
      `a row names the column "${clip(names.find((n, i) => names.indexOf(n) !== i)!)}" twice: send it once`,
    );
  return names;
}

function requireSame(expected: ReadonlySet<string>, columns: readonly string[]): void {
  if (columns.length === expected.size && columns.every((c) => expected.has(c))) return;
  throw new ApiProblem(
    'bad_body',
    'all rows of one request name the same columns: add the missing ones (null is a value too), send the others apart, or name the columns to take with ?columns=a,b',
  );
}
