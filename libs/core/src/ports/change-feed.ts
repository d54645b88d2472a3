import type { JsonText, TableName } from '../ids.js';

/** The log as a feed: changes of all regions as they became visible here. Cursors are opaque text. */
export interface ChangeFeed {
  /** A cursor after all that is visible now. */
  now(): Promise<string>;
  /** A cursor before all that the log still holds. */
  readonly beginning: string;
  /** Some of the changes after the cursor, oldest first. Refused (`cursor_expired`) when some of them are no longer in the log. */
  after(cursor: string, table: TableName | null, limit: number): Promise<FeedPage>;
  /** Has anything been committed since? Cheap; a hint only. */
  mark(): Promise<string>;
}

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** Behind all of them; also when there are none, for then a shorter way has been found to the same place. */
  readonly cursor: string;
}

/** A change, and the cursor behind it. */
export interface FeedItem {
  readonly cursor: string;
  readonly data: JsonText;
}
