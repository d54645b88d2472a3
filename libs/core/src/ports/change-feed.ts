import type { JsonText, TableName } from '../ids.js';

/** The log as a feed: changes of all regions as they became visible here. Cursors are opaque text. */
export interface ChangeFeed {
  /** A cursor after all that is visible now. */
  now(): Promise<string>;
  /** A cursor before all that the log still holds. */
  readonly beginning: string;
  /** Some of the changes after the cursor, oldest first, each with the cursor to go on from; none: nothing new yet. */
  after(cursor: string, table: TableName | null, limit: number): Promise<readonly FeedItem[]>;
  /** Has anything been committed since? Cheap; a hint only. */
  mark(): Promise<string>;
}

export interface FeedItem {
  readonly cursor: string;
  readonly data: JsonText;
}
