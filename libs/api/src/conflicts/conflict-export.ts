import type { Conflict } from '@meridian/contract';
import type { ConflictFilter, ConflictReader } from '@meridian/core';
import { CSV_HEADER, csvLine } from './conflict-csv.js';
import { redacted } from './redaction.js';

export type ExportFormat = 'ndjson' | 'csv';

/** Held at a time; on a hot row a record may weigh some hundred KB. */
const PAGE = 50;

/** Text page by page, for a reader that may be slow. */
export async function* exportLines(
  conflicts: ConflictReader,
  filter: Omit<ConflictFilter, 'limit' | 'cursor'>,
  format: ExportFormat,
): AsyncGenerator<string, void> {
  const secrets = await conflicts.secrets();
  const lineOf = format === 'csv' ? csvLine : (c: Conflict) => `${JSON.stringify(c)}\n`;
  let head = format === 'csv' ? CSV_HEADER : '';
  let cursor: string | undefined;
  do {
    const page = await conflicts.list({ ...filter, limit: PAGE, cursor });
    const lines = page.items.map((i) => lineOf(redacted(JSON.parse(i.conflict) as Conflict, secrets)));
    yield `${head}${lines.join('')}`;
    head = '';
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
