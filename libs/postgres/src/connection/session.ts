import { Client, type ClientBase, type ClientConfig, type QueryArrayResult } from 'pg';
import { ConnectionLostError } from './errors.js';

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

/** A connection that stays one server session, and answers every column as text. */
export class Session {
  private lost: Error | undefined;

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
    const client = new Client({ keepAlive: true, application_name: `meridian ${role}`, ...config });
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

  /** Several statements in one round trip; no parameters. The simple protocol: a BEGIN among them begins a block that outlives it. */
  async script(text: string): Promise<readonly Rows[]> {
    const results = (await this.send({ text })) as QueryArrayResult<string[]> | QueryArrayResult<string[]>[];
    return [results].flat().map((r) => ({ rows: r.rows, count: r.rowCount ?? 0 }));
  }

  async close(): Promise<void> {
    if (this.alive) await this.client.end();
  }

  private async send(query: { text: string; values?: unknown[]; name?: string }): Promise<unknown> {
    if (this.lost !== undefined) throw new ConnectionLostError(this.role, this.lost);
    try {
      return await this.client.query({ ...query, rowMode: 'array', types: AS_TEXT });
    } catch (error) {
      // An error of the server's has a SQLSTATE; class 57P: the server ends the session. All else is the connection's.
      const state = (error as { code?: string }).code;
      if (state !== undefined && SQLSTATE.test(state) && !state.startsWith('57P')) throw error;
      this.lose(error as Error);
      throw new ConnectionLostError(this.role, error);
    }
  }

  private lose(error: Error | undefined): void {
    if (this.lost !== undefined) return;
    this.lost = error ?? new Error('closed');
    for (const listener of this.lostListeners.splice(0)) listener(this.lost);
    // A broken one may never answer an orderly end.
    if (error !== undefined) void this.client.end().catch(() => undefined);
  }
}
