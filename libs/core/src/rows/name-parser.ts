import { Refused } from './refusal.js';

export interface TableRef {
  readonly schema: string;
  readonly name: string;
}

/**
 * `items` (schema public), `shop.items`, `"My Schema"."Orders"`. Unquoted names are taken as they stand: a URL is no SQL,
 * nothing is folded to lower case.
 */
export function parseTableName(text: string): TableRef {
  const parts = splitOutsideQuotes(text, '.').map(unquoted);
  const [first, second] = parts;
  const name = parts.length === 1 ? first : second;
  const schema = parts.length === 1 ? 'public' : first;
  if (parts.length > 2 || !name || !schema || text.includes('\0'))
    throw new Refused(
      'bad_table_name',
      `"${clip(text)}" is no table name: write items, schema.items or "My Schema"."My Table" (percent-encoded)`,
    );
  return { schema, name };
}

/** `42`, `42,eu`, `"a,b",2`: one value per key column. A single-column key may hold commas unquoted. */
export function parseKey(text: string, columns: number): readonly string[] {
  const parts = columns === 1 && !isQuoted(text) ? [text] : splitOutsideQuotes(text, ',').map(unquoted);
  if (parts.length !== columns)
    throw new Refused(
      'bad_key',
      `the key "${clip(text)}" has ${parts.length} parts, the table's primary key has ${columns}`,
    );
  return parts;
}

/** Splits at a separator that stands outside "double quotes". */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (text[i] === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

const isQuoted = (text: string): boolean => text.length >= 2 && text.startsWith('"') && text.endsWith('"');

/** `"a""b"` and `"a\"b"` are a"b; what is not in quotes stays. */
export const unquoted = (text: string): string =>
  isQuoted(text) ? text.slice(1, -1).replace(/""|\\(.)/gsu, (_, escaped?: string) => escaped ?? '"') : text;

/** Messages repeat what was sent, but not a megabyte of it. */
export const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
