import { at, type RegionId, type Vector } from '@meridian/core';
import type { Pool, PoolClient } from 'pg';

/** Records looked at in one transaction. */
const PAGE = 500;
const DELIVERIES = 10_000;

/**
 * Lets go of this region's conflict records that have been closed for long, with what was decided and noted of them: ordinary
 * deletes, which replicate. One that is not stable stays, however old: as long as some region may have written beside the change
 * that it tells of, that write may yet arrive, and what it decides is the record's to tell.
 */
export class ConflictRetention {
  /** Up to where this pass has looked. */
  private place: readonly [at: string, id: string] = BEGINNING;

  constructor(
    private readonly pool: Pool,
    private readonly region: RegionId,
    private readonly keepMs: number,
  ) {}

  /** The next page of a pass. Resolves to whether there is another; if not, the pass after this one begins anew. */
  async step(stable: Vector): Promise<{ readonly forgotten: number; readonly more: boolean }> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN; SELECT set_config('meridian.actor', 'meridian', true)`);
      const outcome = await this.forget(client, stable);
      await client.query('COMMIT');
      return outcome;
    } catch (error) {
      await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private async forget(client: PoolClient, stable: Vector): Promise<{ forgotten: number; more: boolean }> {
    const { rows } = await client.query<{ id: string; at: string; closed: boolean }>(LOOK, [
      ...[this.region, this.keepMs, ...this.place, at(stable, this.region)],
    ]);
    const ids = rows.filter((row) => row.closed).map((row) => row.id);
    const { rows: held } = await client.query<{ id: string }>(HOLD, [ids, this.keepMs]);
    const gone = [held.map((row) => row.id)];
    await client.query('DELETE FROM meridian.decision WHERE conflict = ANY ($1)', gone);
    await client.query('DELETE FROM meridian.triage WHERE conflict = ANY ($1)', gone);
    await client.query('DELETE FROM meridian.conflict WHERE id = ANY ($1)', gone);
    const last = rows.at(-1);
    const more = rows.length === PAGE && last !== undefined;
    this.place = more ? [last.at, last.id] : BEGINNING;
    if (!more) await client.query(DELIVERIES_GIVEN_UP, [this.keepMs]);
    return { forgotten: held.length, more };
  }
}

const BEGINNING = ['-infinity', ''] as const;

/** Decided or withdrawn, and nothing of it has changed for long. */
const CLOSED = /* sql */ `
  (c.status <> 'open' OR coalesce(meridian.decides(d.strategy), false)) AND greatest(c.updated_at, d.at) < now() - $2::float8 * interval '1 ms'`;

/**
 * Stable: the log has the overwritten change no more, or the snapshot of the last own tick that every region has shows it. Changes
 * that wait for their table here are decided later, whatever every region has.
 */
const LOOK = /* sql */ `
SELECT c.id, c.created_at::text AS at,
       c.region = $1 AND ${CLOSED}
       AND EXISTS (SELECT FROM meridian.tick t WHERE t.origin = $1 AND t.seq = $5::bigint
                      AND NOT EXISTS (SELECT FROM meridian.change l
                                       WHERE l.rel = c.rel AND l.pk::text = c.pk AND l.id = (c.loser ->> 'id')::bigint
                                         AND l.seq IS NULL AND NOT pg_visible_in_snapshot(l.xid, t.snapshot)))
       AND NOT EXISTS (SELECT FROM meridian.waiting_change) AS closed
  FROM (SELECT * FROM meridian.conflict
         WHERE created_at < now() - $2::float8 * interval '1 ms' AND (created_at, id) > ($3::timestamptz, $4)
         ORDER BY created_at, id LIMIT ${PAGE}) AS c
  LEFT JOIN meridian.decision d ON d.conflict = c.id
 ORDER BY c.created_at, c.id`;

/** Those that are still closed once nobody can change them any more. */
const HOLD = /* sql */ `
SELECT c.id FROM meridian.conflict c LEFT JOIN meridian.decision d ON d.conflict = c.id
 WHERE c.id = ANY ($1) AND ${CLOSED} ORDER BY c.id FOR UPDATE OF c`;

const DELIVERIES_GIVEN_UP = /* sql */ `
DELETE FROM meridian.webhook_delivery WHERE id IN (
  SELECT id FROM meridian.webhook_delivery WHERE failed_at < now() - $1::float8 * interval '1 ms' LIMIT ${DELIVERIES})`;
