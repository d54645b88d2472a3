import { connect } from '../database.js';
import { waitUntil } from '../measure/wait.js';
import { dropDatabase, freshDatabase } from '../schema.js';
import type { ServerPool } from '../servers.js';
import { type CandidateName, type Region, REGION_NAMES, type Setting } from './candidate.js';

let legs = 0;

export async function freshRegions(
  pool: ServerPool,
  candidate: CandidateName,
  setting: Setting,
): Promise<readonly Region[]> {
  const database = `${candidate}_${++legs}`;
  const names = REGION_NAMES.slice(0, setting.regions);
  return Promise.all(
    names.map(async (name, index) => {
      const server = await pool.server(name, setting.clocks?.[index] ?? 0);
      await freshDatabase(server, database);
      return { name, index, server, database, db: await connect(server, database) };
    }),
  );
}

export async function dropRegions(regions: readonly Region[]): Promise<void> {
  await Promise.all(
    regions.map(async ({ db, server, database }) => {
      await db.end();
      await dropDatabase(server, database);
    }),
  );
}

/**
 * Writes every region's marker and waits until all the others show it. Each candidate keeps the order of one region's
 * writes, so all that a region wrote before is then there too, and the waiting costs next to nothing.
 */
export async function allCaughtUp(regions: readonly Region[], timeoutMs: number): Promise<boolean> {
  const marks = await Promise.all(
    regions.map(async ({ db, name }) => {
      const { rows } = await db.query<{ n: string }>('update marker set n = n + 1 where id = $1 returning n', [name]);
      return { name, n: rows[0]?.n ?? '' };
    }),
  );
  const shown = await Promise.all(
    regions.map(({ db, name }) => waitUntil(async () => showsOthers(db, name, marks), timeoutMs, 4)),
  );
  return shown.every(Boolean);
}

async function showsOthers(
  db: Region['db'],
  own: string,
  marks: readonly { name: string; n: string }[],
): Promise<boolean> {
  const { rows } = await db.query<{ id: string; n: string }>('select id, n from marker');
  return marks.every(
    ({ name, n }) => name === own || rows.some((row) => row.id === name && BigInt(row.n) >= BigInt(n)),
  );
}
