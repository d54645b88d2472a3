import type { RowWrite, WriteResult } from '@meridian/core';
import { Refused } from '@meridian/core';
import type { Answer } from '../http/answer.js';

/** As PostgREST answers: 201 for what was created, 200 with rows when they were asked for, else 204. */
export function writeAnswer(write: RowWrite, result: WriteResult): Answer {
  const byKey = write.kind === 'replace' || ('target' in write && write.target.kind === 'key');
  if (byKey && result.count === 0) throw missing(write);
  const created = write.kind === 'insert' || result.inserted;
  const status = created ? 201 : write.returning.kind === 'rows' ? 200 : 204;
  const body = write.returning.kind === 'nothing' ? '' : byKey ? result.rows[0]! : `[${result.rows.join(',')}]`;
  return {
    status,
    headers: {
      ...(byKey && result.etag !== null && write.kind !== 'delete' ? { ETag: `"${result.etag}"` } : {}),
      ...(byKey || write.kind === 'insert' ? {} : { 'Content-Range': `*/${result.count}` }),
    },
    body,
  };
}

function missing(write: RowWrite): Refused {
  const etag =
    write.kind === 'replace' ? write.etag : 'target' in write && write.target.kind === 'key' ? write.target.etag : null;
  return etag === null
    ? new Refused('row_not_found', `${write.table.name} has no row with this key`, { table: write.table.name })
    : new Refused(
        'precondition_failed',
        'the row has changed since that ETag, or is gone: read it again, and decide anew',
        { table: write.table.name },
      );
}
