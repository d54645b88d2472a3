import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../../catalog/catalog-table.js';
import type { TableFacts } from './table-facts.js';
import type { TriggerWrites } from './triggers.js';

const WRITES =
  /\b(?:insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into|truncate(?:\s+table)?)\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)/gi;

/** Names that a function's text writes to, as they stand there. What it puts together by EXECUTE does not show. */
export function writtenNames(source: string): readonly string[] {
  const code = source.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  return [...new Set([...code.matchAll(WRITES)].map(([, name]) => name!))];
}

/** A bare name may be any schema's: the function finds it by whatever search path its caller has. */
export async function readTriggerWrites(
  client: ClientBase,
  table: CatalogTable,
  { triggers }: TableFacts,
): Promise<TriggerWrites> {
  const named = triggers.map((t) => [t.name, writtenNames(t.source)] as const);
  const all = [...new Set(named.flatMap(([, names]) => names))];
  if (all.length === 0) return new Map();
  const { rows } = await client.query<{ given: string; name: TableName }>(RESOLVE, [all, table.name]);
  return new Map(
    named.map(([trigger, names]) => [trigger, rows.filter((r) => names.includes(r.given)).map((r) => r.name)]),
  );
}

const RESOLVE = /* sql */ `
SELECT given, t.name
  FROM unnest($1::text[]) AS given
 CROSS JOIN LATERAL (SELECT parse_ident(given, false) AS parts) p
  JOIN pg_class c ON c.relname = p.parts[cardinality(p.parts)] AND c.relkind IN ('r', 'p')
  JOIN pg_namespace n ON n.oid = c.relnamespace AND (cardinality(p.parts) = 1 OR n.nspname = p.parts[cardinality(p.parts) - 1])
 CROSS JOIN LATERAL (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name) t
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'meridian') AND t.name <> $2
 ORDER BY given, t.name`;
