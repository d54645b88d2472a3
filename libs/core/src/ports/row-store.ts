import type { Writer } from '../change/writer.js';
import type { JsonText, RegionId, TableName } from '../ids.js';
import type { TableRef } from '../rows/name-parser.js';
import type { Condition, RowQuery, Selected } from '../rows/query.js';
import type { Vector } from '../vector.js';

/**
 * The users' rows as REST reads and writes them. Rows come and go as JSON text that PostgreSQL wrote or reads: no value
 * ever becomes a JavaScript number or date. Every method throws `Refused` for what the request did wrong.
 */
export interface RowStore {
  /** An enrolled table, or null. */
  table(ref: TableRef): Promise<RowTable | null>;
  read(table: RowTable, query: RowQuery, options: { readonly count: boolean }): Promise<RowPage>;
  readOne(table: RowTable, key: readonly string[], select: readonly Selected[] | null): Promise<TaggedRow | null>;
  /** One write in one statement and one round trip. */
  write(write: RowWrite, writer: Writer): Promise<WriteResult>;
  /** All of the writes in one transaction, or none: also when `conclude`, which runs before the commit, throws. */
  transaction<T>(
    writes: readonly RowWrite[],
    writer: Writer,
    conclude: (results: readonly WriteResult[]) => T,
  ): Promise<T>;
  /**
   * The same, with the answer kept in the writes' own transaction: a key seen before with the same request answers what it
   * answered then, and writes nothing. Two at once: the second waits for the first.
   */
  once(
    request: OnceRequest,
    writes: readonly RowWrite[],
    writer: Writer,
    answer: (results: readonly WriteResult[]) => KeptAnswer,
  ): Promise<KeptAnswer>;
}

/** What the catalog says of an enrolled table, as far as REST needs it. */
export interface RowTable {
  readonly name: TableName;
  readonly ref: TableRef;
  readonly columns: readonly RowColumn[];
  readonly keyColumns: readonly string[];
}

export interface RowColumn {
  readonly name: string;
  /** As `format_type` writes it: `numeric(10,2)`, `shop.status`, `text[]`. */
  readonly type: string;
  readonly notNull: boolean;
  /** Generated, or an identity that PostgreSQL alone gives out: never written by a request. */
  readonly writable: boolean;
  readonly generated: boolean;
}

export interface RowPage {
  readonly rows: readonly JsonText[];
  /** Rows that the filter matches; null when not counted. */
  readonly total: number | null;
}

/** `etag` is a digest of the whole row as PostgreSQL writes it, so it is the same in every region. */
export interface TaggedRow {
  readonly row: JsonText;
  readonly etag: string;
}

/** What an answer shows of written rows: nothing, or these columns (null: all). */
export type Returning =
  { readonly kind: 'nothing' } | { readonly kind: 'rows'; readonly select: readonly Selected[] | null };

/** In the place of an etag: the row must be there, whichever it is (`If-Match: *`). */
export const ANY_ETAG = '*';

/** Which rows: by filter, or the one with this key, if it still has this etag. */
export type Target =
  | { readonly kind: 'where'; readonly where: readonly Condition[] }
  | { readonly kind: 'key'; readonly key: readonly string[]; readonly etag: string | null };

export type RowWrite = {
  readonly table: RowTable;
  readonly returning: Returning;
  /**
   * `values` are a change's: each is its type's own text output, in a JSON string (of a jsonb column, JSON in a string). A row
   * that was there before is written, so an identity that PostgreSQL alone gives out is taken too.
   */
  readonly texts?: true;
} & (
  | {
      readonly kind: 'insert';
      /** Columns that every row names. */
      readonly columns: readonly string[];
      /** A JSON object, or an array of objects, as the request had it. */
      readonly values: JsonText;
      readonly many: boolean;
      readonly onConflict: {
        readonly resolution: 'merge' | 'ignore';
        readonly columns: readonly string[] | null;
      } | null;
    }
  | { readonly kind: 'update'; readonly target: Target; readonly columns: readonly string[]; readonly values: JsonText }
  /** The whole row: columns not named take their defaults. Without an etag it is inserted when it is not there. */
  | {
      readonly kind: 'replace';
      readonly key: readonly string[];
      readonly etag: string | null;
      readonly columns: readonly string[];
      readonly values: JsonText;
    }
  | { readonly kind: 'delete'; readonly target: Target }
);

export interface WriteResult {
  readonly count: number;
  /** Empty unless asked for. */
  readonly rows: readonly JsonText[];
  /** Of the written row, for a write by key that returns rows. */
  readonly etag: string | null;
  /** For `replace`: whether it was new. */
  readonly inserted: boolean;
}

export interface OnceRequest {
  readonly key: string;
  /** Digest of method, path and body. */
  readonly digest: string;
}
export interface KeptAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Where a region's database stands, for session tokens and staleness (design 7). */
export interface PositionStore {
  readonly region: RegionId;
  /** The applied vector; the own entry is the last tick cut. Asked after every write, so it is the cheaper of the two. */
  vector(): Promise<Vector>;
  position(): Promise<Position>;
  /** Per origin, what its last tick applied here says. */
  origins(): Promise<readonly OriginPosition[]>;
}

export interface Position {
  readonly vector: Vector;
  /** Are there local changes, committed, that no tick holds yet? */
  readonly uncut: boolean;
}

export interface OriginPosition {
  readonly origin: RegionId;
  readonly seq: number;
  /** What the origin itself had applied when it cut that tick. */
  readonly deps: Vector;
  /** The origin's clock then, and the local clock when it was applied; milliseconds since 1970. */
  readonly wallMs: number;
  readonly appliedMs: number;
}

/** Tells the runtimes in this process what REST just did, and REST what they did. All of it only saves waiting. */
export interface Relaying {
  /** A local write was committed: cut a tick soon. */
  written(): void;
  /** A token was given out that names this tick of ours: cut up to it, if need be empty ones, without waiting for the heartbeat. */
  promised(seq: number): void;
  /** Calls back after every commit of applied ticks and every tick cut. Returns the way to stop. */
  onAdvance(listener: () => void): () => void;
}
