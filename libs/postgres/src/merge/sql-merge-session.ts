import type { MergeCall, MergeFunctions, MergeOutcome } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { openSession, RELAY_SETTINGS } from '../connection/settings.js';
import { findFunction, type FoundFunction } from './find-function.js';
import { SqlMergeFunctions } from './sql-merge.js';

const REFUSED = /* sql */ `
SELECT i, "column", why
  FROM json_to_recordset($1::json) AS x(i int, "table" text, "column" text, value text),
       LATERAL (SELECT meridian.value_refused(x."table", x."column", x.value) AS why) r
 WHERE why IS NOT NULL`;

/** Merge functions in SQL on a session of their own: apply's holds rows, and waits for no user's function with a savepoint in it. */
export class SqlMergeSession implements MergeFunctions {
  private session: Session | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly url: string) {}

  async run(calls: readonly MergeCall[]): Promise<readonly MergeOutcome[]> {
    return this.inTransaction((session) => new SqlMergeFunctions(session).run(calls));
  }

  /** As it is in this region now. */
  async find(name: string): Promise<FoundFunction> {
    return this.inTransaction((session) => findFunction(session, name));
  }

  /** What was made of each call's columns, where the table's columns take it; else a failure, the same in every region. */
  async accepted(
    calls: readonly Pick<MergeCall, 'table'>[],
    outcomes: readonly MergeOutcome[],
  ): Promise<readonly MergeOutcome[]> {
    const values = calls.flatMap(({ table }, i) => {
      const outcome = outcomes[i]!;
      if (outcome.kind === 'failed') return [];
      return Object.entries(outcome.values).map(([column, value]) => ({ i, table, column, value }));
    });
    if (values.length === 0) return outcomes;
    const { rows } = await this.inTransaction((session) => session.query(REFUSED, [JSON.stringify(values)]));
    const refused = new Map(rows.map(([i, column, why]) => [Number(i), `the column ${column} refuses it: ${why}`]));
    return outcomes.map((outcome, i) => {
      const detail = refused.get(i);
      return detail === undefined ? outcome : { kind: 'failed', because: 'not a value', detail };
    });
  }

  /** One after another: a session has one transaction. */
  private inTransaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const mine = this.last.then(() => this.transaction(work));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.open();
    try {
      await session.script('BEGIN');
      const result = await work(session);
      await session.script('ROLLBACK');
      return result;
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
