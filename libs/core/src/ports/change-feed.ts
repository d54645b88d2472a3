import type { JsonText, TableName } from '../ids.js';
import type { TableRef } from '../rows/name-parser.js';

/** The log as a feed: changes of all regions as they became visible here. Cursors are opaque text. */
export interface ChangeFeed {
  /** A cursor after all that is visible now. */
  now(): Promise<string>;
  /** A cursor before all that the log still holds. */
  readonly beginning: string;
  /** Some of the changes after the cursor, oldest first. Refused (`cursor_expired`) when some of them are no longer in the log. */
  after(cursor: string, of: Followed, limit: number): Promise<FeedPage>;
  /** Has anything been committed since? Cheap; a hint only. */
  mark(): Promise<string>;
}

/** What a reader follows: changes of rows, or what becomes of conflicts; of one table, or of all. */
export type Followed =
  | { readonly kind: 'rows'; readonly table: TableName | null }
  | { readonly kind: 'conflicts'; readonly table: TableRef | null };

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** Behind all of them; also when there are none, for then a shorter way has been found to the same place. */
  readonly cursor: string;
}

/** A change, and the cursor behind it. */
export interface FeedItem {
  readonly cursor: string;
  /** `change`; of conflicts, what became of one. */
  readonly event: string;
  readonly data: JsonText;
}
