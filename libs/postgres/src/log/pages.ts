import type { Row, Session } from '../connection/session.js';
import { changeOf, type LoggedChange } from './change-row.js';

/** Rows of the log asked for at a time: of a transaction of a million, the driver's arrays are made and forgotten page by page. */
export const PAGE_ROWS = 2_000;

/** Outside of a transaction. */
export async function inPagesOfItsOwn(session: Session, query: string): Promise<LoggedChange[]> {
  await session.script('BEGIN');
  try {
    return await inPages(session, query);
  } finally {
    await session.script('ROLLBACK');
  }
}

/** What a query of the log's columns answers, in pages. In a transaction of the caller's, which a cursor needs. */
export async function inPages(session: Session, query: string): Promise<LoggedChange[]> {
  const all: LoggedChange[] = [];
  await session.script(`DECLARE log_pages NO SCROLL CURSOR FOR ${query}`);
  for (;;) {
    const [page] = await session.script(`FETCH ${PAGE_ROWS} FROM log_pages`);
    for (const row of page!.rows) all.push(changeOf(row));
    if (page!.rows.length < PAGE_ROWS) break;
  }
  await session.script('CLOSE log_pages');
  return all;
}

export const isFull = (rows: readonly Row[]): boolean => rows.length >= PAGE_ROWS;
