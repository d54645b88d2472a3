import type { JsonText, TableName } from '../ids.js';
import type { TableRef } from '../rows/name-parser.js';

/** Conflict records with what operators decided of them, as JSON that PostgreSQL wrote. */
export interface ConflictReader {
  list(filter: ConflictFilter): Promise<ConflictPage>;
  get(id: string): Promise<ShownConflict | null>;
  count(filter: Omit<ConflictFilter, 'limit' | 'cursor'>): Promise<number>;
  /** Of enrolled tables: columns whose values stay here when records are exported. */
  secrets(): Promise<ReadonlyMap<TableName, SecretColumns>>;
}

export interface ConflictFilter {
  readonly table?: TableRef | undefined;
  readonly kind?: string | undefined;
  readonly region?: string | undefined;
  readonly status?: string | undefined;
  /** ISO 8601. */
  readonly since?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Newest first, unless said otherwise. */
  readonly oldestFirst?: boolean;
}

/** `next` is null on the last page. */
export interface ConflictPage {
  readonly items: readonly ShownConflict[];
  readonly next: string | null;
}

export interface ShownConflict {
  readonly id: string;
  /** Digest of the record and of what operators did with it: the same in every region, and another after every change. */
  readonly version: string;
  readonly conflict: JsonText;
}

export interface SecretColumns {
  readonly columns: readonly string[];
  readonly keyColumns: readonly string[];
}
