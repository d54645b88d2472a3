import type { JsonText } from '../ids.js';
import type { TableRef } from '../rows/name-parser.js';

/** Conflict records as JSON that PostgreSQL wrote. */
export interface ConflictReader {
  list(filter: ConflictFilter): Promise<ConflictPage>;
  get(id: string): Promise<JsonText | null>;
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
}

/** Newest first. `next` is null on the last page. */
export interface ConflictPage {
  readonly items: readonly JsonText[];
  readonly next: string | null;
}
