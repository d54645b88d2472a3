import { type Retry, type TableRefused, TransactionRetryError, type WriteOutcome } from '@meridian/core';
import { retryError, retryOf } from '../connection/retry.js';
import type { Session } from '../connection/session.js';
import { refusalOf, TableStatementError } from './waiting-changes.js';

const DONE: WriteOutcome = { retry: null };

/**
 * The statements of one transaction, in the order of asking. Those that answer nothing are sent and not waited for: the next
 * one runs behind them, and when one fails, so does all that follows. What a failure means, the first one knows.
 */
export class TransactionSteps {
  /** Looked at with the first answer, which comes right behind: without it, each statement would be a transaction. */
  private readonly begun: Promise<unknown>;
  private readonly sent: Promise<unknown>[] = [];
  private loading: Promise<unknown> | undefined;
  /** The last step that goes in pieces: what is asked for behind it is sent behind its last piece. */
  private inPieces: Promise<unknown> | undefined;
  private unasked: Error | undefined;

  constructor(
    private readonly session: Session,
    /** A statement failed as one does when a table was altered under it. */
    private readonly onTableAltered: () => void,
  ) {
    this.begun = this.ask(() => session.query('BEGIN ISOLATION LEVEL READ COMMITTED'));
  }

  send(ask: () => Promise<unknown>, inPieces = false): Promise<void> {
    void this.ask(ask, inPieces);
    return Promise.resolve();
  }

  /** Some statement that is still to be asked for needs this first: COMMIT waits for it, too. */
  load<T>(loading: Promise<T>): Promise<T> {
    this.loading = loading.catch(() => undefined);
    return loading;
  }

  async answerOrRetry<T>(work: () => Promise<T>, inPieces = false): Promise<T | Retry> {
    try {
      return await this.answerTo(work, inPieces);
    } catch (error) {
      const { table, cause = error } = error instanceof TableStatementError ? error : {};
      const retry = retryOf(cause);
      if (retry === null) throw this.noticed(error);
      return table === undefined ? retry : { ...retry, table };
    }
  }

  done(work: () => Promise<unknown>, inPieces = false): Promise<WriteOutcome> {
    return this.answerOrRetry(() => work().then(() => DONE), inPieces);
  }

  /** Of a step whose answer has no room for a retry: that leaves as an error. */
  async answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.answerTo(work);
    } catch (failure) {
      const error = this.noticed(retryError(failure));
      const refused = refusalOf(error);
      throw refused === null ? error : new TransactionRetryError(refused, { cause: error });
    }
  }

  /** Behind a statement that failed COMMIT is a rollback, and says nothing: only the steps do. */
  async commit(): Promise<WriteOutcome> {
    await Promise.all([this.loading, this.inPieces]);
    this.inPieces = undefined;
    if (this.unasked !== undefined) throw this.unasked;
    return this.done(() => Promise.all([...this.sent, this.session.query('COMMIT')]));
  }

  /** What is on its way is part of this transaction, and must not come behind its end. */
  async rollback(): Promise<void> {
    await Promise.allSettled(this.sent);
    // A lost session's transaction is rolled back by its end.
    if (this.session.alive) await this.session.query('ROLLBACK').catch(() => this.session.close());
  }

  private ask<T>(ask: () => Promise<T>, inPieces = false): Promise<T> {
    const step = this.inPieces === undefined ? this.begin(ask) : this.inPieces.then(() => this.begin(ask));
    step.catch(() => undefined);
    this.sent.push(step);
    // Also what fails between two pieces fails no statement.
    if (inPieces) this.inPieces = step.catch((error: Error) => void (this.unasked ??= error));
    return step;
  }

  /** What fails before anything of it was sent fails no statement behind it: COMMIT must not be one. */
  private begin<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return ask();
    } catch (cause) {
      const error = cause as Error;
      this.unasked ??= error;
      return Promise.reject(error);
    }
  }

  private async answerTo<T>(work: () => Promise<T>, inPieces = false): Promise<T> {
    const before = [...this.sent];
    try {
      const [answer] = await Promise.all([this.ask(work, inPieces), this.begun]);
      return answer;
    } catch (last) {
      const outcomes = await Promise.allSettled(before);
      const first = outcomes.find((outcome) => outcome.status === 'rejected');
      throw first === undefined ? last : first.reason;
    }
  }

  /** Class 42: a column, type or table is not what it was when the statement was made; nor is a table that refuses. */
  private noticed(error: unknown): unknown {
    const { cause = error } = error as { cause?: unknown };
    if ((cause as { code?: string }).code?.startsWith('42') === true || refusalOf(error) !== null)
      this.onTableAltered();
    return error;
  }
}

/** The table's refusal as a value; any other error stays one. */
export function refusedOr(error: unknown): TableRefused {
  const refused = refusalOf(error);
  if (refused === null) throw error;
  return refused;
}
