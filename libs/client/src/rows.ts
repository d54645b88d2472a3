import { HEADERS } from '@meridian/contract';
import { MeridianError } from './api-error.js';
import { type Call, type CallAnswer, restCall } from './rest-call.js';
import type { Session } from './session.js';

export interface RowOptions {
  /** A retry with the same key and body writes nothing a second time, in any region. */
  readonly idempotencyKey?: string;
  readonly ifMatch?: string;
  readonly actor?: string;
}

type Key = string | number | bigint | readonly (string | number | bigint)[];
/** PostgREST's grammar: `{ qty: 'gte.5', order: 'id', limit: 10 }`. */
type Query = { readonly [name: string]: string | number | undefined };

/**
 * Rows of one table. Numbers come as JSON.parse reads them: where a column holds more digits than a JavaScript number,
 * take `text` and read it with a parser of your own.
 */
export class Rows<Row extends object> {
  constructor(
    private readonly base: string,
    private readonly session: Session,
    private readonly table: string,
  ) {}

  async list(query: Query = {}): Promise<Row[]> {
    return JSON.parse(await this.text(query)) as Row[];
  }

  /** The same as the service wrote it, with all digits. */
  async text(query: Query = {}): Promise<string> {
    return (await this.#call({ method: 'GET', path: this.#path(), query })).text;
  }

  /** Null: there is no such row. */
  async get(key: Key): Promise<{ readonly row: Row; readonly etag: string } | null> {
    try {
      const { text, headers } = await this.#call({ method: 'GET', path: this.#path(key) });
      return { row: JSON.parse(text) as Row, etag: headers.get('etag')! };
    } catch (error) {
      if (error instanceof MeridianError && error.code === 'row_not_found') return null;
      throw error;
    }
  }

  async insert(
    rows: Partial<Row> | readonly Partial<Row>[],
    options: RowOptions & { readonly upsert?: boolean } = {},
  ): Promise<void> {
    const prefer = options.upsert === true ? { prefer: 'resolution=merge-duplicates' } : {};
    await this.#call({
      method: 'POST',
      path: this.#path(),
      body: jsonText(rows),
      headers: { ...headersOf(options), ...prefer },
    });
  }

  async update(key: Key, values: Partial<Row>, options: RowOptions = {}): Promise<void> {
    await this.#call({ method: 'PATCH', path: this.#path(key), body: jsonText(values), headers: headersOf(options) });
  }

  async put(key: Key, row: Partial<Row>, options: RowOptions = {}): Promise<void> {
    await this.#call({ method: 'PUT', path: this.#path(key), body: jsonText(row), headers: headersOf(options) });
  }

  async delete(key: Key, options: RowOptions = {}): Promise<void> {
    await this.#call({ method: 'DELETE', path: this.#path(key), headers: headersOf(options) });
  }

  #call(call: Call): Promise<CallAnswer> {
    return restCall(this.base, this.session, call);
  }

  #path(key?: Key): string {
    const path = `/v1/data/${encodeURIComponent(this.table)}`;
    return key === undefined ? path : `${path}/${encodeURIComponent(keyText(key))}`;
  }
}

/** A key of one column stands as it is, unless it looks quoted; of several, each is quoted where it needs to be. */
export function keyText(key: Key): string {
  const parts = (Array.isArray(key) ? key : [key]).map(String);
  const isPlain = (part: string): boolean => (parts.length === 1 ? !/^".*"$/s.test(part) : !/[",\\]/.test(part));
  return parts.map((part) => (isPlain(part) ? part : `"${part.replace(/["\\]/g, '\\$&')}"`)).join(',');
}

/** Bigints as numbers with all their digits. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'bigint' ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(v)) : v,
  );

const headersOf = ({ idempotencyKey, ifMatch, actor }: RowOptions): Record<string, string> => ({
  ...(idempotencyKey === undefined ? {} : { [HEADERS.idempotencyKey]: idempotencyKey }),
  ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  ...(actor === undefined ? {} : { [HEADERS.actor]: actor }),
});
