/** An identifier as SQL, whatever it holds. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A text as SQL, for scripts, which take no parameters. standard_conforming_strings is on since PostgreSQL 9.1. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
