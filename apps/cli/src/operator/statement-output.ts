export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Statements as a person copies them into psql. */
export function printIndented(statements: readonly string[]): void {
  for (const statement of statements) say(`${statement.replace(/^/gm, '      ')};`);
}
