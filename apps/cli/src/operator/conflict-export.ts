import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asked, type Connection } from './rest.js';

/** As it comes, whatever its size; fails when the stream breaks off. */
export async function exportConflicts(connection: Connection, query: URLSearchParams): Promise<void> {
  const { body } = await asked(connection, 'GET', `/v1/conflicts/export?${query.toString()}`);
  if (body !== null) await pipeline(Readable.fromWeb(body), process.stdout, { end: false });
}
