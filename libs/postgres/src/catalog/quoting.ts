/** Names of users' tables and columns enter generated SQL only through these two. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text constant. `E''` when it holds a backslash, so that standard_conforming_strings does not matter. */
export const literal = (text: string): string =>
  text.includes('\\') ? `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`;

/** Always quoted: what PostgreSQL's own quote_ident leaves bare depends on its version's keywords. */
export const qualified = (schema: string, relation: string): string => `${ident(schema)}.${ident(relation)}`;
