import type { Region } from '../candidates/candidate.js';
import type { Table } from '../schema.js';
import { waitUntil } from './wait.js';

/** Rows of the table that are not the same in every region. */
export async function differingRows(regions: readonly Region[], table: Table): Promise<number> {
  const contents = await Promise.all(
    regions.map(async ({ db }) => {
      const { rows } = await db.query<{ id: string; row: string }>(
        `select id::text, md5(t::text) as row from ${table} t`,
      );
      return new Map(rows.map(({ id, row }) => [id, row]));
    }),
  );
  const ids = new Set(contents.flatMap((content) => [...content.keys()]));
  return [...ids].filter((id) => new Set(contents.map((content) => content.get(id))).size > 1).length;
}

/** As above, after giving the regions this long to become equal. */
export async function settledDifference(regions: readonly Region[], table: Table, timeoutMs: number): Promise<number> {
  let different = Number.NaN;
  await waitUntil(async () => (different = await differingRows(regions, table)) === 0, timeoutMs, 250);
  return different;
}
