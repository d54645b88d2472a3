import type { MergeCall, MergeFunctions, MergeOutcome } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { openSession, RELAY_SETTINGS } from '../connection/settings.js';
import { SqlMergeFunctions } from './sql-merge.js';

/** Merge functions in SQL on a session of their own: apply's holds rows, and waits for no user's function with a savepoint in it. */
export class SqlMergeSession implements MergeFunctions {
  private session: Session | null = null;

  constructor(private readonly url: string) {}

  async run(calls: readonly MergeCall[]): Promise<readonly MergeOutcome[]> {
    const session = await this.open();
    try {
      await session.script('BEGIN');
      const outcomes = await new SqlMergeFunctions(session).run(calls);
      await session.script('ROLLBACK');
      return outcomes;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { session } = this;
    this.session = null;
    await session?.close();
  }

  private async open(): Promise<Session> {
    this.session ??= await openSession({ connectionString: this.url }, 'merge functions', RELAY_SETTINGS);
    return this.session;
  }
}
