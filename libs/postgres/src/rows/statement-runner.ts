import type { Pool, PoolClient } from 'pg';
import type { Statement } from './sql-builder.js';

export interface Answer {
  readonly rows: readonly (readonly (string | boolean | null)[])[];
  readonly count: number;
}

/**
 * Texts differ by table, columns and shape of the filter only, so most requests meet a statement that their connection has
 * prepared. A client that sends ever new shapes must not fill PostgreSQL's memory: beyond this many, nothing is prepared.
 */
const MAX_PREPARED = 500;

export class StatementRunner {
  readonly #names = new Map<string, string>();

  async run(on: Pool | PoolClient, statement: Statement): Promise<Answer> {
    const name = this.#nameOf(statement.text);
    const result = await on.query<(string | boolean | null)[]>({
      ...(name === undefined ? {} : { name }),
      text: statement.text,
      values: [...statement.values],
      rowMode: 'array',
    });
    return { rows: result.rows, count: result.rowCount ?? 0 };
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known;
    const name = `rest_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
