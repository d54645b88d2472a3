import type { Pool, PoolClient } from 'pg';
import { StatementNames } from '../connection/statement-names.js';
import type { Statement } from './sql-builder.js';

export interface Answer {
  readonly rows: readonly (readonly (string | boolean | null)[])[];
  readonly count: number;
}

/** Runners on one pool share its connections, where a name stands for one statement: each has a prefix of its own. */
export class StatementRunner {
  readonly #names: StatementNames;

  constructor(prefix: string) {
    this.#names = new StatementNames(prefix);
  }

  async run(on: Pool | PoolClient, statement: Statement): Promise<Answer> {
    const name = this.#names.of(statement.text);
    const result = await on.query<(string | boolean | null)[]>({
      ...(name === undefined ? {} : { name }),
      text: statement.text,
      values: [...statement.values],
      rowMode: 'array',
    });
    return { rows: result.rows, count: result.rowCount ?? 0 };
  }
}
