import type { RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import { SetupError } from './setup-error.js';

/**
 * Whose database this is, and the empty beginning of its ticks. Committed before any capture trigger exists: the snapshot of
 * tick 0 then lies before every change in the log, and tick 1 holds all since.
 */
export async function prepareRegionRow(
  client: ClientBase,
  region: { readonly cluster: string; readonly name: RegionId; readonly applyRole: string },
): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(
      `INSERT INTO meridian.region (cluster, name, apply_role) VALUES ($1, $2, $3)
       ON CONFLICT (only_row) DO UPDATE SET apply_role = excluded.apply_role WHERE region.apply_role <> excluded.apply_role`,
      [region.cluster, region.name, region.applyRole],
    );
    await refuseOther(client, region);
    await client.query(
      `INSERT INTO meridian.applied (origin, seq, digest, deps, stamp, wall) VALUES ($1, 0, '', '{}', 0, 0)
       ON CONFLICT (origin) DO NOTHING`,
      [region.name],
    );
    await client.query(
      `INSERT INTO meridian.tick (origin, seq, snapshot, deps, stamp, wall, previous, digest, changes)
       SELECT $1, 0, pg_current_snapshot(), '{}', 0, 0, '', '', 0
        WHERE NOT EXISTS (SELECT FROM meridian.tick WHERE origin = $1)`,
      [region.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** A copied database, or a wrong URL: writing as another region would publish two contents under one number. */
export async function refuseOther(
  client: ClientBase,
  region: { readonly cluster: string; readonly name: RegionId },
): Promise<void> {
  const { rows } = await client.query<{ cluster: string; name: string }>('SELECT cluster, name FROM meridian.region');
  const there = rows[0];
  if (there === undefined) return;
  if (there.cluster !== region.cluster)
    throw new SetupError(
      'other_cluster',
      `this database belongs to the cluster "${there.cluster}", not to "${region.cluster}": check postgres.url`,
    );
  if (there.name !== region.name)
    throw new SetupError(
      'other_region',
      `this database is the region "${there.name}", not "${region.name}": check postgres.url`,
    );
}
