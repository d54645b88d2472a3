import type { Pool, PoolClient } from 'pg';
import type { Row } from '../connection/session.js';
import { refusalOf } from './refusal-of-sqlstate.js';

const AS_TEXT = { getTypeParser: () => (value: string) => value };

const asTexts = (text: string, values: readonly unknown[]) => ({
  ...{ text, values: [...values], rowMode: 'array' as const, types: AS_TEXT },
});

/** One statement, every column as text: it sees one moment by itself. */
export async function readAsTexts(pool: Pool, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
  try {
    return (await pool.query<string[]>(asTexts(text, values))).rows;
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Several statements that see one moment of the database. */
export class ReadingTransaction {
  private constructor(
    /** For code that reads the catalog with the driver's own types. */
    readonly driver: PoolClient,
  ) {}

  /** With an empty search path: only then does the catalog spell types' names out. */
  static async run<T>(pool: Pool, work: (reading: ReadingTransaction) => Promise<T>): Promise<T> {
    let broken: Error | undefined;
    try {
      const client = await pool.connect();
      try {
        await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''`);
        return await work(new ReadingTransaction(client));
      } finally {
        await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
        client.release(broken);
      }
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Every column as text. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.driver.query<string[]>(asTexts(text, values))).rows;
  }
}
