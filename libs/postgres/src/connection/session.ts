import { Client, type ClientBase, type ClientConfig, type QueryArrayResult } from 'pg';
import { ConnectionLostError } from './errors.js';
import { StatementNames } from './statement-names.js';

/** One column value as PostgreSQL sent it: its type's own text output. */
export type Text = string | null;
export type Row = readonly Text[];
export interface Rows {
  readonly rows: readonly Row[];
  readonly count: number;
}

/** No value is parsed: bigint, numeric and timestamps pass through to the digit, and json keeps its text. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/** Not EPIPE, which is five letters too. */
const SQLSTATE = /^[0-9FHPX][0-9A-Z]{4}$/;

const IN_FAILED_TRANSACTION = '25P02';
/** Of a statement prepared behind a failed one, that is its echo. */
const NOT_PREPARED = '26000';

/**
 * What statements asked for side by side answer, when all have ended (`behind` among them), or the failure of the first one:
 * it is the one that the others only repeat.
 */
export async function answersTo<T>(asked: readonly Promise<T>[], ...behind: Promise<unknown>[]): Promise<T[]> {
  await Promise.allSettled([...asked, ...behind]);
  const answers: T[] = [];
  for (const answer of asked) answers.push(await answer);
  return answers;
}

/**
 * A connection that stays one server session, and answers every column as text. Statements are sent as they are asked for and
 * run in that order: whoever does not wait for an answer before asking for the next saves a round trip.
 */
export class Session {
  private lost: Error | undefined;
  private readonly made = new StatementNames('made');
  private lastFailure: unknown;
  private unanswered = 0;

  private constructor(
    private readonly client: Client,
    readonly role: string,
    readonly pid: number,
    private readonly lostListeners: ((error: Error) => void)[],
  ) {
    client.on('error', (error) => this.lose(error));
    client.on('end', () => this.lose(undefined));
  }

  static async open(config: ClientConfig, role: string): Promise<Session> {
    const client = new Client({ keepAlive: true, application_name: `meridian ${role}`, pipeline: true, ...config });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return new Session(client, role, rows[0]!.pid, []);
  }

  /** For code that reads the catalog with the driver's own types. */
  get driver(): ClientBase {
    return this.client;
  }

  get alive(): boolean {
    return this.lost === undefined;
  }

  /** Called once, when the session ends, on purpose or not. */
  onLost(listener: (error: Error) => void): void {
    if (this.lost !== undefined) listener(this.lost);
    else this.lostListeners.push(listener);
  }

  /** One statement. With a name it is planned once per session. */
  async query(text: string, values: readonly unknown[] = [], name?: string): Promise<Rows> {
    const result = (await this.send({
      text,
      values: [...values],
      ...(name === undefined ? {} : { name }),
    })) as QueryArrayResult<string[]>;
    return { rows: result.rows, count: result.rowCount ?? 0 };
  }

  /** A statement whose text is made for a table: planned once per session, too, as long as there are not too many of them. */
  prepare(text: string, values: readonly unknown[]): Promise<Rows> {
    return this.query(text, values, this.made.of(text));
  }

  /** Several statements in one round trip; no parameters. The simple protocol: a BEGIN among them begins a block that outlives it. */
  async script(text: string): Promise<readonly Rows[]> {
    const results = (await this.send({ text })) as QueryArrayResult<string[]> | QueryArrayResult<string[]>[];
    return [results].flat().map((r) => ({ rows: r.rows, count: r.rowCount ?? 0 }));
  }

  /** At once, also when a statement is still to be answered: over a link gone silent it never will be. */
  async close(): Promise<void> {
    if (!this.alive) return;
    if (this.unanswered > 0) this.client.connection.stream.destroy();
    await this.client.end();
  }

  private async send(query: { text: string; values?: unknown[]; name?: string }): Promise<unknown> {
    if (this.lost !== undefined) throw new ConnectionLostError(this.role, this.lost);
    this.sendTogether();
    this.unanswered++;
    try {
      return await this.client.query({ ...query, rowMode: 'array', types: AS_TEXT });
    } catch (error) {
      // An error of the server's has a SQLSTATE; class 57P: the server ends the session. All else is the connection's.
      const state = (error as { code?: string }).code;
      if (state !== undefined && SQLSTATE.test(state) && !state.startsWith('57P')) throw this.causeOf(state, error);
      this.lose(error as Error);
      throw new ConnectionLostError(this.role, error);
    } finally {
      this.unanswered--;
    }
  }

  /** Statements asked for in one go leave in one packet: the server reads them, and we hear of them, all at once. */
  private sendTogether(): void {
    const { stream } = this.client.connection;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }

  /** Behind a statement that failed the server only says that the transaction is aborted. */
  private causeOf(state: string, error: unknown): unknown {
    if (state === IN_FAILED_TRANSACTION) return this.lastFailure ?? error;
    if (state !== NOT_PREPARED) this.lastFailure = error;
    return error;
  }

  private lose(error: Error | undefined): void {
    if (this.lost !== undefined) return;
    this.lost = error ?? new Error('closed');
    for (const listener of this.lostListeners.splice(0)) listener(this.lost);
    // A broken one may never answer an orderly end.
    if (error !== undefined) this.client.connection.stream.destroy();
  }
}
